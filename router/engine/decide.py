"""decide: a command and the state give facts, an answer, or a refusal. advance: the same, carried through to rest.

Pure: no clock, no randomness, no ids made inside. Same state, command and moment: same facts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from router.engine import (
    assign,
    commands,
    decide_callbacks,
    decide_centre,
    decide_contacts,
    decide_offers,
    decide_openings,
    decide_outcomes,
    decide_outside,
    decide_phone,
    decide_questions,
    decide_recording,
    decide_staff,
    decide_talk,
    decide_waiting,
    parking,
)
from router.engine.decision import Decision
from router.engine.evolve import evolve
from router.engine.explain import explain as why
from router.engine.explanation import Explanation
from router.engine.facts import Fact
from router.engine.state import State
from router.errors import UnknownThing, WrongState

CENSUS_PATIENCE_MS = 1_000

_HANDLERS: dict[type, Callable[[State, Any, int], Decision]] = {
    commands.Configure: decide_centre.configure,
    commands.StartCentre: decide_centre.start_centre,
    commands.PublishEstimates: decide_outcomes.publish_estimates,
    commands.SwitchEstimates: decide_outcomes.switch_estimates,
    commands.ReportCensus: decide_centre.report_census,
    commands.LoseChannel: decide_centre.lose_channel,
    commands.CloseChannels: decide_openings.close_channels,
    commands.ReopenChannels: decide_openings.reopen_channels,
    commands.AnnounceCalamity: decide_openings.announce_calamity,
    commands.WithdrawCalamity: decide_openings.withdraw_calamity,
    commands.Receive: decide_contacts.receive,
    commands.Classify: decide_contacts.classify_contact,
    commands.EndContact: decide_contacts.end_contact,
    commands.AddMessage: decide_contacts.add_message,
    commands.NoteDelivery: decide_contacts.note_delivery,
    commands.AddQuestion: decide_questions.add_question,
    commands.FinishConversation: decide_contacts.finish_conversation,
    commands.ExtendWrapUp: decide_contacts.extend_wrap_up,
    commands.CompleteWrapUp: decide_contacts.complete_wrap_up,
    commands.HandOver: decide_contacts.hand_over,
    commands.Consult: decide_talk.consult,
    commands.CancelConsult: decide_talk.cancel_consult,
    commands.CompleteTransfer: decide_talk.complete_transfer,
    commands.StartConference: decide_talk.start_conference,
    commands.LeaveConversation: decide_talk.leave_conversation,
    commands.PassOutside: decide_outside.pass_outside,
    commands.CancelOutside: decide_outside.cancel_outside,
    commands.ReportOutside: decide_outside.report_outside,
    commands.FinishAfterWork: decide_talk.finish_after_work,
    commands.RejoinCall: decide_phone.rejoin,
    commands.HoldCall: decide_phone.hold_call,
    commands.RetrieveCall: decide_phone.retrieve_call,
    commands.LosePhone: decide_phone.lose_phone,
    commands.Supervise: decide_talk.supervise,
    commands.EndSupervision: decide_talk.end_supervision,
    commands.AnnounceRecording: decide_recording.announce_recording,
    commands.PauseRecording: decide_recording.pause_recording,
    commands.ResumeRecording: decide_recording.resume_recording,
    commands.DropRecording: decide_recording.drop_recording,
    commands.StoreRecording: decide_recording.store_recording,
    commands.MoveContact: decide_contacts.move_contact,
    commands.SetPriority: decide_waiting.set_priority,
    commands.TakeCallback: decide_callbacks.take_callback,
    commands.CallNow: decide_callbacks.call_now,
    commands.LeaveVoicemail: decide_waiting.leave_voicemail,
    commands.PlanCallback: decide_callbacks.plan_callback,
    commands.DialCitizen: decide_callbacks.dial_citizen,
    commands.ReportDial: decide_callbacks.report_dial,
    commands.CloseContact: decide_contacts.close_contact,
    commands.AnswerCitizen: decide_outcomes.answer_citizen,
    commands.Accept: decide_offers.accept,
    commands.Decline: decide_offers.decline,
    commands.OfferFailed: decide_offers.offer_failed,
    commands.AdoptAnswer: decide_offers.adopt_answer,
    commands.ReportHeld: decide_offers.report_held,
    commands.SetPresence: decide_staff.set_presence,
    commands.LoseAgent: decide_staff.lose_agent,
    commands.RegainAgent: decide_staff.regain_agent,
    commands.ReportTelephones: decide_phone.report_telephones,
    commands.MakeFollowUp: decide_staff.make_follow_up,
    commands.AssignFollowUp: decide_staff.assign_follow_up,
    commands.CompleteFollowUp: decide_staff.complete_follow_up,
}


def decide(state: State, command: commands.Command, now: int) -> Decision:
    """What the command leads to, leaving the state as it is.

    Raises a Refusal when the wish is impossible now. `Tick` is decided by `advance`, one alarm at a time.
    """
    if state.centre is None and not isinstance(command, commands.Configure):
        raise WrongState("no configuration is in force yet")
    return _HANDLERS[type(command)](state, command, now)


def due(state: State) -> int | None:
    """When the engine wants a Tick next, in ms; None when nothing is to come."""
    return state.index.alarms.next()


def advance(state: State, command: commands.Command, now: int, explained: bool = True) -> Decision:
    """Decide, evolve, and offer whatever has become possible. The state has moved when it returns.

    `explained` false leaves the explanations of offers out, for a simulation that reads none: the facts are the same.
    Raises a Refusal with the state as it was.
    """
    facts: list[Fact] = []
    explanations: dict[int, Explanation] = {}

    def apply(fact: Fact) -> None:
        evolve(state, fact, state.number + 1, now)
        facts.append(fact)

    answer: str | int | None = None
    if isinstance(command, commands.Tick):
        _wake(state, now, apply)
    else:
        decision = decide(state, command, now)
        answer = decision.answer
        for fact in decision.facts:
            apply(fact)
    seen = 0
    while state.centre is not None:
        for change in parking.changes(state, now):
            apply(change)
        for fact, explanation in assign.offers(state, now, explained):
            if explanation is not None:
                explanations[len(facts)] = explanation
            apply(fact)
        recent, seen = facts[seen:], len(facts)
        for fact in decide_recording.begun(state, recent):
            apply(fact)
        for fact in decide_waiting.consequences(state, recent, now):
            apply(fact)
        if len(facts) == seen:
            break
    return Decision(tuple(facts), answer, explanations)


def _wake(state: State, now: int, apply: Callable[[Fact], None]) -> None:
    for alarm in state.index.alarms.take(now):
        _, kind, id = alarm
        if decide_centre.waits_for_census(state, alarm):
            state.index.alarms.set(now + CENSUS_PATIENCE_MS, kind, id)
            continue
        if kind == "retry" and id in state.contacts:
            state.index.look_again(state.contacts[id], now)
        found = decide_centre.alarm(state, alarm, now)
        for fact in found:
            apply(fact)
        if kind == "step" and id in state.contacts:
            state.index.due.add(id)
            if not found:
                state.index.plan(state, state.contacts[id], now)


def explain(state: State, contact: str, now: int) -> Explanation:
    """Who could take an open contact now and why the others cannot. Raises a Refusal when it is not open."""
    if contact not in state.contacts:
        raise UnknownThing("the contact is not open")
    return why(state, contact, now, details=True)
