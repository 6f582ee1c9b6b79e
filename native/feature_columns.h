// Columns of features. Written by `make renew` from the enums of `milplib.scip`.
#pragma once

namespace milplib {

constexpr int n_variable_features = 19;
namespace variable_feature {
enum : int {
    objective = 0,  // objective coefficient / c
    is_type_binary = 1,  // SCIP's variable type after presolving is binary
    is_type_integer = 2,  // the type is integer
    is_type_implicit_integer = 3,  // the type is implicit integer
    is_type_continuous = 4,  // the type is continuous
    has_lower_bound = 5,  // the local lower bound is finite
    has_upper_bound = 6,  // the local upper bound is finite
    reduced_cost = 7,  // reduced cost / c
    solution_value = 8,  // value in the LP solution
    fractionality = 9,  // fractionality of that value; 0 for a continuous column
    is_solution_at_lower_bound = 10,  // the value is at a finite local lower bound
    is_solution_at_upper_bound = 11,  // the value is at a finite local upper bound
    scaled_age = 12,  // number of successive LPs in which the value was 0 / (number of LPs + 5)
    incumbent_value = 13,  // value in the best known solution; 0 without one
    average_incumbent_value = 14,  // mean value over the known solutions; 0 without one
    is_basis_lower = 15,  // nonbasic at its lower bound
    is_basis_basic = 16,  // basic
    is_basis_upper = 17,  // nonbasic at its upper bound
    is_basis_zero = 18,  // nonbasic at 0, without bounds
};
}  // namespace variable_feature

constexpr int n_row_features = 5;
namespace row_feature {
enum : int {
    bias = 0,  // s · (side - constant) / r
    objective_cosine_similarity = 1,  // s · (row · objective) / (r · c)
    is_tight = 2,  // the row's activity in the LP solution is at this side
    dual_value = 3,  // s · dual value / (r · c)
    scaled_age = 4,  // number of successive LPs in which the row was not tight / (number of LPs + 5)
};
}  // namespace row_feature

constexpr int n_pseudocost_features = 3;
namespace pseudocost_feature {
enum : int {
    score = 0,  // SCIP's pseudocost score at the LP solution
    down = 1,  // mean gain in dual bound per unit of change downwards
    up = 2,  // mean gain in dual bound per unit of change upwards
};
}  // namespace pseudocost_feature

}  // namespace milplib
