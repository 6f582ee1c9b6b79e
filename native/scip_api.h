// SCIP functions without SCIP's headers: opaque types and prototypes, bound at run time to the
// libscip that PySCIPOpt has loaded. The Python side rejects major versions that are not in its
// table (milplib/scip/versions.py), because a changed prototype would go unnoticed here.
#pragma once

namespace milplib {

struct Scip;
struct ScipVar;
struct ScipCol;
struct ScipRow;
struct ScipSol;
struct ScipNode;

// result, name, parameters
#define MILPLIB_SCIP_FUNCTIONS(X)                                                                 \
    X(int, SCIPmajorVersion, ())                                                                  \
    X(int, SCIPgetStage, (Scip*))                                                                 \
    X(int, SCIPgetLPSolstat, (Scip*))                                                             \
    X(double, SCIPinfinity, (Scip*))                                                              \
    X(double, SCIPepsilon, (Scip*))                                                               \
    X(double, SCIPfeastol, (Scip*))                                                               \
    X(long long, SCIPgetNLPs, (Scip*))                                                            \
    X(int, SCIPgetNSols, (Scip*))                                                                 \
    X(ScipSol*, SCIPgetBestSol, (Scip*))                                                          \
    X(double, SCIPgetSolVal, (Scip*, ScipSol*, ScipVar*))                                         \
    X(ScipVar**, SCIPgetVars, (Scip*))                                                            \
    X(int, SCIPgetNVars, (Scip*))                                                                 \
    X(int, SCIPgetLPColsData, (Scip*, ScipCol***, int*))                                          \
    X(int, SCIPgetLPRowsData, (Scip*, ScipRow***, int*))                                          \
    X(int, SCIPgetLPBranchCands, (Scip*, ScipVar***, double**, double**, int*, int*, int*))       \
    X(int, SCIPbranchVar, (Scip*, ScipVar*, ScipNode**, ScipNode**, ScipNode**))                  \
    X(double, SCIPgetVarPseudocostScore, (Scip*, ScipVar*, double))                               \
    X(double, SCIPgetVarPseudocost, (Scip*, ScipVar*, int))                                       \
    X(int, SCIPvarGetStatus, (ScipVar*))                                                          \
    X(int, SCIPvarGetType, (ScipVar*))                                                            \
    X(double, SCIPvarGetObj, (ScipVar*))                                                          \
    X(double, SCIPvarGetAvgSol, (ScipVar*))                                                       \
    X(double, SCIPvarGetLPSol, (ScipVar*))                                                        \
    X(ScipCol*, SCIPvarGetCol, (ScipVar*))                                                        \
    X(ScipVar*, SCIPcolGetVar, (ScipCol*))                                                        \
    X(int, SCIPcolGetLPPos, (ScipCol*))                                                           \
    X(double, SCIPcolGetObj, (ScipCol*))                                                          \
    X(double, SCIPcolGetLb, (ScipCol*))                                                           \
    X(double, SCIPcolGetUb, (ScipCol*))                                                           \
    X(double, SCIPcolGetPrimsol, (ScipCol*))                                                      \
    X(int, SCIPcolGetAge, (ScipCol*))                                                             \
    X(int, SCIPcolGetBasisStatus, (ScipCol*))                                                     \
    X(double, SCIPgetColRedcost, (Scip*, ScipCol*))                                               \
    X(double, SCIProwGetLhs, (ScipRow*))                                                          \
    X(double, SCIProwGetRhs, (ScipRow*))                                                          \
    X(double, SCIProwGetConstant, (ScipRow*))                                                     \
    X(double, SCIProwGetNorm, (ScipRow*))                                                         \
    X(double, SCIProwGetDualsol, (ScipRow*))                                                      \
    X(int, SCIProwGetAge, (ScipRow*))                                                             \
    X(int, SCIProwGetNNonz, (ScipRow*))                                                           \
    X(ScipCol**, SCIProwGetCols, (ScipRow*))                                                      \
    X(double*, SCIProwGetVals, (ScipRow*))                                                        \
    X(double, SCIPgetRowLPActivity, (Scip*, ScipRow*))

struct ScipApi {
#define MILPLIB_DECLARE(result, name, parameters) result(*name) parameters = nullptr;
    MILPLIB_SCIP_FUNCTIONS(MILPLIB_DECLARE)
#undef MILPLIB_DECLARE
};

// Values of SCIP's enumerations, from the table of versions.
struct ScipConstants {
    int stage_solving = -1, lp_optimal = -1, status_column = -1, type_continuous = -1;
    int branch_down = -1, branch_up = -1;
};

// Valid once `bind_scip` and `set_constants` have returned.
extern ScipApi api;
extern ScipConstants constants;

// Bind SCIP through a loaded library, PySCIPOpt's extension module. Return SCIP's major version.
// Throw an ImportError if a function is missing.
int bind_scip(const char* loaded_library);

void set_constants(const ScipConstants& of_this_version);

bool is_bound();

// Sizes of the one-hot features, the same for all versions of SCIP.
constexpr int n_types = 4;
constexpr int n_basis_statuses = 4;

}  // namespace milplib
