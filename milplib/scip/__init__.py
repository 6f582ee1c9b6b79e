"""All that touches SCIP: state extraction, the expert, settings, solves."""
