#include "scip_api.h"

#include "errors.h"

#include <dlfcn.h>

namespace milplib {

ScipApi api;
ScipConstants constants;
static bool bound = false;
static bool has_constants = false;

int bind_scip(const char* loaded_library) {
    // NOLOAD ensures that PySCIPOpt's SCIP is used: another SCIP could have other structure
    // layouts. Symbols are searched in the module and in the libraries that it needs.
    void* handle = dlopen(loaded_library, RTLD_NOLOAD | RTLD_NOW);
    if (!handle) {
        const char* reason = dlerror();
        raise(PyExc_ImportError, "%s is not loaded: %s", loaded_library,
              reason ? reason : "no reason given");
    }
    ScipApi functions;
    const char* missing = nullptr;
#define MILPLIB_FIND(result, name, parameters)                                    \
    functions.name = reinterpret_cast<result(*) parameters>(dlsym(handle, #name)); \
    if (!functions.name && !missing) missing = #name;
    MILPLIB_SCIP_FUNCTIONS(MILPLIB_FIND)
#undef MILPLIB_FIND
    dlclose(handle);  // Python keeps its extension modules loaded
    if (missing)
        raise(PyExc_ImportError, "the SCIP behind %s has no function %s", loaded_library, missing);
    api = functions;
    bound = true;
    return api.SCIPmajorVersion();
}

void set_constants(const ScipConstants& of_this_version) {
    constants = of_this_version;
    has_constants = true;
}

bool is_bound() { return bound && has_constants; }

}  // namespace milplib
