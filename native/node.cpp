#include "node.h"

#include "errors.h"
#include "feature_columns.h"

#include <algorithm>
#include <cmath>

namespace milplib {

static PyObject* model_type = nullptr;

void set_model_type(PyObject* type) {
    Py_INCREF(type);
    Py_XDECREF(model_type);
    model_type = type;
}

// Return the SCIP of a model, or null if it is freed. Without calls of users' code.
static void* pointer_of(PyObject* model) {
    PyObject* capsule = PyObject_CallMethod(model_type, "to_ptr", "OO", model, Py_False);
    void* pointer = capsule ? PyCapsule_GetPointer(capsule, "scip") : nullptr;
    Py_XDECREF(capsule);
    if (!pointer) PyErr_Clear();  // PySCIPOpt makes no capsule of a null pointer
    return pointer;
}

static bool is_model(PyObject* object) {
    return model_type && PyType_IsSubtype(Py_TYPE(object), reinterpret_cast<PyTypeObject*>(model_type));
}

// Return whether any model of the process has this SCIP.
static bool is_live(void* pointer) {
    PyObject* gc = PyImport_ImportModule("gc");
    PyObject* objects = gc ? PyObject_CallMethod(gc, "get_objects", nullptr) : nullptr;
    Py_XDECREF(gc);
    if (!objects) throw PythonError();
    bool found = false;
    const Py_ssize_t n = PyList_Size(objects);
    for (Py_ssize_t i = 0; i < n && !found; ++i) {
        PyObject* object = PyList_GetItem(objects, i);
        found = is_model(object) && pointer_of(object) == pointer;
    }
    Py_DECREF(objects);
    return found;
}

Scip* scip_of(PyObject* capsule, PyObject* model) {
    if (!is_bound()) raise(scip_error, "no SCIP is bound: call bind() and set_constants() first");
    // A capsule of another name holds another type of pointer; reading it would crash.
    void* pointer = PyCapsule_GetPointer(capsule, "scip");
    if (!pointer) {
        PyErr_Clear();
        raise(PyExc_TypeError, "a capsule of pyscipopt.Model.to_ptr(False) is needed, not %R",
              capsule);
    }
    const bool is_known = model && is_model(model) && pointer_of(model) == pointer;
    if (!is_known && !is_live(pointer))
        raise(PyExc_ValueError, "the model of this capsule is freed: make a new capsule");
    return static_cast<Scip*>(pointer);
}

static double objective_norm(Scip* scip) {
    ScipVar** variables = api.SCIPgetVars(scip);
    const int n_variables = api.SCIPgetNVars(scip);
    double sum = 0.0;
    for (int i = 0; i < n_variables; ++i) {
        const double coefficient = api.SCIPvarGetObj(variables[i]);
        sum += coefficient * coefficient;
    }
    const double norm = std::sqrt(sum);
    return norm == 0.0 ? 1.0 : norm;
}

Node read_node(PyObject* capsule, PyObject* model) {
    Node node;
    Scip* scip = node.scip = scip_of(capsule, model);
    if (api.SCIPgetStage(scip) != constants.stage_solving ||
        api.SCIPgetLPSolstat(scip) != constants.lp_optimal)
        raise(scip_error, "the current node has no LP solved to optimality");
    check_scip(api.SCIPgetLPColsData(scip, &node.columns, &node.n_columns), "SCIPgetLPColsData");
    check_scip(api.SCIPgetLPRowsData(scip, &node.rows, &node.n_rows), "SCIPgetLPRowsData");
    int n_candidates = 0, n_priority = 0;
    check_scip(api.SCIPgetLPBranchCands(scip, &node.candidates, nullptr, nullptr, &n_candidates,
                                        &n_priority, nullptr),
               "SCIPgetLPBranchCands");
    // SCIP lists candidates of lower priority and implied integers after these.
    node.n_candidates = std::min(n_candidates, n_priority);
    if (api.SCIPgetNSols(scip) > 0) node.incumbent = api.SCIPgetBestSol(scip);
    node.infinity = api.SCIPinfinity(scip);
    node.epsilon = api.SCIPepsilon(scip);
    node.feasibility_tolerance = api.SCIPfeastol(scip);
    node.objective_norm = objective_norm(scip);
    node.age_scale = 1.0 / (static_cast<double>(api.SCIPgetNLPs(scip)) + 5.0);
    return node;
}

void candidate_positions(const Node& node, std::vector<std::int32_t>& positions) {
    positions.resize(node.n_candidates);
    for (int i = 0; i < node.n_candidates; ++i) {
        // Only variables of this status have a column and an LP position.
        const bool has_column =
            api.SCIPvarGetStatus(node.candidates[i]) == constants.status_column;
        const int position =
            has_column ? api.SCIPcolGetLPPos(api.SCIPvarGetCol(node.candidates[i])) : -1;
        if (position < 0 || position >= node.n_columns)
            raise(scip_error, "a branching candidate is not in the LP");
        positions[i] = position;
    }
}

void pseudocosts(const Node& node, std::vector<double>& block) {
    namespace feature = pseudocost_feature;
    block.resize(std::size_t(n_pseudocost_features) * node.n_candidates);
    for (int i = 0; i < node.n_candidates; ++i) {
        ScipVar* variable = node.candidates[i];
        double* line = block.data() + n_pseudocost_features * i;
        line[feature::score] =
            api.SCIPgetVarPseudocostScore(node.scip, variable, api.SCIPvarGetLPSol(variable));
        line[feature::down] = api.SCIPgetVarPseudocost(node.scip, variable, constants.branch_down);
        line[feature::up] = api.SCIPgetVarPseudocost(node.scip, variable, constants.branch_up);
    }
}

}  // namespace milplib
