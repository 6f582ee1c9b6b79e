"""Plugins of milplib in one model, for the policies that it gets one after the other."""

from __future__ import annotations

import atexit
import threading
import weakref

import pyscipopt
from pyscipopt import SCIP_STAGE

from milplib.errors import ParameterError, StageError
from milplib.policies.combinations import AnyPolicy, parts
from milplib.policies.loading import load_policy
from milplib.policies.policy import ScipRule
from milplib.policies.policy_rule import PolicyRule
from milplib.policies.rules import rule_values
from milplib.policies.turns import PolicyEvents, Watched
from milplib.policies.use import OnError, PolicyOptions, PolicyUse
from milplib.scip.parameter_changes import ParameterChanges
from milplib.scip.plugins import is_freed
from milplib.scip.rule import PRIORITY
from milplib.scip.settings import branching_rule_names

__all__ = ["RULE_NAME", "Attachment", "attachment_of"]

RULE_NAME = "milplib-policy"

_OPEN = (SCIP_STAGE.INIT, SCIP_STAGE.PROBLEM)
_STAGES = {
    SCIP_STAGE.TRANSFORMED: "transformed",
    SCIP_STAGE.PRESOLVING: "being presolved",
    SCIP_STAGE.PRESOLVED: "presolved",
    SCIP_STAGE.SOLVING: "being solved",
    SCIP_STAGE.SOLVED: "solved",
}


class Attachment:
    """Plugins and changed parameters of milplib in a model.

    SCIP keeps a plugin until the model is freed, so all policies of a model share one rule and one
    event handler. They hold the model weakly.
    """

    def __init__(self, model: pyscipopt.Model) -> None:
        self._model = weakref.ref(model)
        self._rule: PolicyRule | None = None
        self._events: PolicyEvents | None = None
        self._changes = ParameterChanges()
        self._options = PolicyOptions()
        self.use: PolicyUse | None = None
        """Handle of the current policy."""

    @property
    def model(self) -> pyscipopt.Model | None:
        """The model; None if it is freed."""
        model = self._model()
        return None if model is None or is_freed(model) else model

    def refers_to(self, model: pyscipopt.Model) -> bool:
        """Return whether this is the attachment of a model."""
        return self._model() is model

    def include(self, policy: AnyPolicy, options: PolicyOptions) -> PolicyUse:
        """Include a policy in the model, which has none."""
        model = self._open_model("include_policy")
        if self._rule is None and RULE_NAME in branching_rule_names(model):
            raise ParameterError(
                "this model has a milplib policy already, from another Model object of the same "
                "SCIP: use the handle that include_policy returned there"
            )
        _check_rules(model, policy)
        self._options = options
        self.use = PolicyUse(policy, _place=self)
        self._start(model, self.use)
        return self.use

    def replace(self, policy: object) -> None:
        """Put another policy in the place of the current one, with the same options."""
        model, use = self._open_model("replace"), self.use
        loaded = load_policy(policy)
        _check_rules(model, loaded)
        if use is not None:
            self._stop(model)
            use.restart(loaded)
            self._start(model, use)

    def remove(self) -> None:
        """Take the current policy out of the model, and restore the parameters."""
        model = self.model
        if model is not None:
            self._stop(model)
        self.use = None

    def release(self) -> None:
        """Let go of the plugins and the policy of a model that is freed."""
        self.use = self._rule = self._events = None

    def leave(self) -> None:
        """Let the plugins do nothing more, as the interpreter ends.

        SCIP calls them until its model is freed. A policy may be a function of a module whose
        globals hold the model, which would then outlive Python's own modules.
        """
        if self._events is not None:
            self._events.forget()
        if self._rule is not None:
            self._rule.stop()
        self.release()

    def _start(self, model: pyscipopt.Model, use: PolicyUse) -> None:
        policy, options = use.policy, self._options
        depth = -1 if options.max_depth is None else options.max_depth
        if self._rule is None:
            # Also for a rule of SCIP's, to mark that SCIP has a policy.
            self._rule = PolicyRule()
            self._rule.include(model, RULE_NAME, priority=-PRIORITY)
        if isinstance(policy, ScipRule):
            name = policy.rule
            self._changes.set(model, f"branching/{name}/priority", options.priority)
            if options.max_depth is not None:
                self._changes.set(model, f"branching/{name}/maxdepth", depth)
            for parameter, value in rule_values(model, policy).items():
                self._changes.set(model, parameter, value)
        else:
            name = RULE_NAME
            model.setParam(f"branching/{name}/priority", options.priority)
            model.setParam(f"branching/{name}/maxdepth", depth)
            self._rule.start(use, strict=options.on_error == OnError.RAISE)
        if self._events is None:
            self._events = PolicyEvents()
            model.includeEventhdlr(self._events, f"{RULE_NAME}-events", "serves the policy")
            self._events.model = model  # held weakly from here on
        rule = None if isinstance(policy, ScipRule) else self._rule
        self._events.start(Watched(use=use, options=options, name=name, rule=rule))

    def _stop(self, model: pyscipopt.Model) -> None:
        if self._events is not None:
            self._events.stop()
        if self._rule is not None:
            self._rule.stop()
            model.setParam(f"branching/{RULE_NAME}/priority", -PRIORITY)
        self._changes.undo(model)

    def _open_model(self, call: str) -> pyscipopt.Model:
        """Return the model if plugins can be included in it."""
        model = self.model
        if model is None:
            raise StageError(f"{call} cannot be called on a model that is freed: make another one")
        stage = model.getStage()
        if stage not in _OPEN:
            state = _STAGES.get(stage, "being solved")
            raise StageError(
                f"{call} cannot be called on a model that is {state}: call it before the solve, "
                "or call model.freeTransform() first"
            )
        return model


def _check_rules(model: pyscipopt.Model, policy: AnyPolicy) -> None:
    """Check the names and parameters of a policy's SCIP rules before anything changes."""
    for part in parts(policy):
        if isinstance(part, ScipRule):
            rule_values(model, part)


_ATTACHED: dict[int, Attachment] = {}
_LOCK = threading.RLock()  # a garbage collection may free a model while it is held


def attachment_of(model: pyscipopt.Model) -> Attachment:
    """Return the attachment of a model, a new one at first.

    Examples
    --------
    >>> model = pyscipopt.Model()
    >>> attachment_of(model) is attachment_of(model)
    True
    """
    # By identity, because the hash of a model changes when it is freed.
    key = id(model)
    with _LOCK:
        found = _ATTACHED.get(key)
        if found is None or not found.refers_to(model):
            found = _ATTACHED[key] = Attachment(model)
            weakref.finalize(model, _forget, key).atexit = False
    return found


@atexit.register
def _leave_all() -> None:
    for attachment in tuple(_ATTACHED.values()):
        attachment.leave()
    _ATTACHED.clear()


def _forget(key: int) -> None:
    with _LOCK:
        attachment = _ATTACHED.pop(key, None)
    if attachment is not None:
        attachment.release()
