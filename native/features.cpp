#include "features.h"

#include "errors.h"

#include <cmath>

namespace milplib {

// After an LP solve most of this data has left the processor's caches, and SCIP's structures are
// scattered in memory. Prefetch columns and variables ahead of their use.
static void prefetch(const void* start, int n_lines) {
    constexpr int line = 64;
    for (int i = 0; i < n_lines; ++i)
        __builtin_prefetch(static_cast<const char*>(start) + i * line);
}

static void prefetch_columns(const Node& node, int i) {
    if (i + 8 >= node.n_columns) return;
    prefetch(node.columns[i + 8], 4);
    prefetch(api.SCIPcolGetVar(node.columns[i + 4]), 8);
}

void Rows::read(const Node& node) {
    rows.resize(node.n_rows);
    std::size_t n_entries = 0;
    for (int i = 0; i < node.n_rows; ++i) n_entries += api.SCIProwGetNNonz(node.rows[i]);
    if (column.size() < n_entries) {
        column.resize(n_entries);
        coefficient.resize(n_entries);
    }
    std::int64_t at = 0;
    n_sides = n_edges = 0;
    for (int i = 0; i < node.n_rows; ++i) {
        ScipRow* scip_row = node.rows[i];
        Row& row = rows[i];
        row.left = api.SCIProwGetLhs(scip_row);
        row.right = api.SCIProwGetRhs(scip_row);
        row.has_left = row.left > -node.infinity;
        row.has_right = row.right < node.infinity;
        row.norm = api.SCIProwGetNorm(scip_row);
        if (row.norm == 0.0) row.norm = 1.0;
        row.begin = at;
        ScipCol** columns = api.SCIProwGetCols(scip_row);
        const double* values = api.SCIProwGetVals(scip_row);
        const int length = api.SCIProwGetNNonz(scip_row);
        const double scale = 1.0 / row.norm;
        for (int j = 0; j < length; ++j) {
            const int position = api.SCIPcolGetLPPos(columns[j]);
            if (position < 0) continue;
            if (position >= node.n_columns) raise(scip_error, "a row holds a column beyond the LP");
            column[at] = position;
            coefficient[at] = scale * values[j];
            ++at;
        }
        row.end = at;
        const int n = int(row.has_left) + int(row.has_right);
        n_sides += n;
        n_edges += n * (row.end - row.begin);
    }
}

template <class Number>
void write_variable_features(const Node& node, Number* lines) {
    namespace feature = variable_feature;
    Number* line = lines;
    for (int i = 0; i < node.n_columns; ++i, line += n_variable_features) {
        prefetch_columns(node, i);
        ScipCol* column = node.columns[i];
        ScipVar* variable = api.SCIPcolGetVar(column);
        const int type = api.SCIPvarGetType(variable);
        const int basis = api.SCIPcolGetBasisStatus(column);
        if (type < 0 || type >= n_types || basis < 0 || basis >= n_basis_statuses)
            raise(scip_error, "column %d has the type %d and the basis status %d", i, type, basis);
        const double lower = api.SCIPcolGetLb(column), upper = api.SCIPcolGetUb(column);
        const bool has_lower = lower > -node.infinity, has_upper = upper < node.infinity;
        const double value = api.SCIPcolGetPrimsol(column);
        const double fraction = value - std::floor(value + node.feasibility_tolerance);
        line[feature::objective] = Number(api.SCIPcolGetObj(column) / node.objective_norm);
        for (int t = 0; t < n_types; ++t) line[feature::is_type_binary + t] = Number(t == type);
        line[feature::has_lower_bound] = Number(has_lower);
        line[feature::has_upper_bound] = Number(has_upper);
        line[feature::reduced_cost] =
            Number(api.SCIPgetColRedcost(node.scip, column) / node.objective_norm);
        line[feature::solution_value] = Number(value);
        line[feature::fractionality] = Number(type == constants.type_continuous ? 0.0 : fraction);
        line[feature::is_solution_at_lower_bound] =
            Number(has_lower && std::fabs(value - lower) <= node.epsilon);
        line[feature::is_solution_at_upper_bound] =
            Number(has_upper && std::fabs(value - upper) <= node.epsilon);
        line[feature::scaled_age] = Number(api.SCIPcolGetAge(column) * node.age_scale);
        line[feature::incumbent_value] = line[feature::average_incumbent_value] = Number(0);
        if (node.incumbent) {
            line[feature::incumbent_value] =
                Number(api.SCIPgetSolVal(node.scip, node.incumbent, variable));
            line[feature::average_incumbent_value] = Number(api.SCIPvarGetAvgSol(variable));
        }
        for (int b = 0; b < n_basis_statuses; ++b)
            line[feature::is_basis_lower + b] = Number(b == basis);
    }
}

template <class Number>
void write_row_features(const Node& node, const Rows& rows, Number* lines) {
    namespace feature = row_feature;
    std::vector<double> objective(node.n_columns);
    for (int i = 0; i < node.n_columns; ++i) objective[i] = api.SCIPcolGetObj(node.columns[i]);
    Number* line = lines;
    for (int i = 0; i < node.n_rows; ++i) {
        const Row& row = rows.rows[i];
        if (!row.has_left && !row.has_right) continue;
        ScipRow* scip_row = node.rows[i];
        // SCIPgetRowObjParallelism is unsuitable: it loses the sign.
        double parallel = 0.0;
        for (std::int64_t e = row.begin; e < row.end; ++e)
            parallel += rows.coefficient[e] * objective[rows.column[e]];
        parallel /= node.objective_norm;
        const double constant = api.SCIProwGetConstant(scip_row);
        const double dual = api.SCIProwGetDualsol(scip_row) / (row.norm * node.objective_norm);
        const double age = api.SCIProwGetAge(scip_row) * node.age_scale;
        const double activity = api.SCIPgetRowLPActivity(node.scip, scip_row);
        for (int is_right = 0; is_right < 2; ++is_right) {
            if (!(is_right ? row.has_right : row.has_left)) continue;
            const double sign = is_right ? 1.0 : -1.0;
            const double side = is_right ? row.right : row.left;
            line[feature::bias] = Number(sign * (side - constant) / row.norm);
            line[feature::objective_cosine_similarity] = Number(sign * parallel);
            line[feature::is_tight] = Number(std::fabs(activity - side) <= node.epsilon);
            line[feature::dual_value] = Number(sign * dual);
            line[feature::scaled_age] = Number(age);
            line += n_row_features;
        }
    }
}

template <class Number>
void write_edges(const Rows& rows, std::int32_t* side_of, std::int32_t* column_of,
                 Number* feature) {
    std::int64_t at = 0;
    std::int32_t side = 0;
    for (const Row& row : rows.rows) {
        for (int is_right = 0; is_right < 2; ++is_right) {
            if (!(is_right ? row.has_right : row.has_left)) continue;
            const double sign = is_right ? 1.0 : -1.0;
            for (std::int64_t e = row.begin; e < row.end; ++e, ++at) {
                side_of[at] = side;
                column_of[at] = rows.column[e];
                feature[at] = Number(sign * rows.coefficient[e]);
            }
            ++side;
        }
    }
}

template void write_variable_features(const Node&, float*);
template void write_variable_features(const Node&, double*);
template void write_row_features(const Node&, const Rows&, float*);
template void write_row_features(const Node&, const Rows&, double*);
template void write_edges(const Rows&, std::int32_t*, std::int32_t*, float*);
template void write_edges(const Rows&, std::int32_t*, std::int32_t*, double*);

}  // namespace milplib
