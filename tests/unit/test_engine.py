"""What the engine promises, one promise a test; failures of other systems are named where they are proved absent."""

from __future__ import annotations

import sys

import pytest

from router.engine import commands, facts
from router.engine.decide import advance, due, explain
from router.engine.effects import Deliver, HangUp, Hold, Ring
from router.engine.index import rebuild_index
from router.engine.react import effects_of, interrupted_deliveries, owed_deliveries
from router.engine.state import State
from router.errors import InvalidInput, NotAllowed, Refusal, StaleOffer, TooMany, UnknownThing, WrongState
from tests.properties.world import World, replayed


@pytest.fixture
def world() -> World:
    return World()


def refused(world: World, command: commands.Command) -> Refusal:
    with pytest.raises(Refusal) as caught:
        advance(world.state, command, world.now)
    return caught.value


def talking(world: World, channel: str = "phone", topic: str = "burgerzaken") -> tuple[str, str]:
    """A contact in conversation, and its owner."""
    contact = world.receive(channel, topic)
    offer, agent = world.offer_of(contact)
    assert offer
    world.ask(commands.Accept(offer, agent))
    return contact, agent


def test_an_index_is_made_before_there_is_a_configuration() -> None:
    """Every centre starts so: with an empty journal."""
    state = State()
    rebuild_index(state)
    assert due(state) is None


# -- taking in --------------------------------------------------------------------------------------------------


def test_the_same_source_twice_is_one_contact(world: World) -> None:
    """Two rooms for one visitor; one mail, many tickets (peers 25, 29)."""
    first = world.receive("email", source_key="imap:1")
    decision = world.ask(commands.Receive("c-other", "email", "waterland", "imap:1"))
    assert decision is not None
    assert decision.answer == first
    assert not decision.facts
    assert world.state.books["email"].received == 1


def test_a_source_is_recognised_after_the_end_until_it_is_forgotten(world: World) -> None:
    first = world.receive("post", source_key="sha256:1")
    world.ask(commands.CloseContact(first, "sup", "v-1"))
    again = world.ask(commands.Receive("c-again", "post", "waterland", "sha256:1"))
    assert again is not None
    assert again.answer == first
    world.pass_time(86_400_000 + 1)
    later = world.ask(commands.Receive("c-later", "post", "waterland", "sha256:1"))
    assert later is not None
    assert later.answer == "c-later"


def test_an_unknown_municipality_is_refused(world: World) -> None:
    assert isinstance(refused(world, commands.Receive("c-1", "email", "atlantis", "k")), InvalidInput)


def test_a_contact_left_in_intake_is_queued_by_itself(world: World) -> None:
    contact = world.receive("phone", classify=False)
    assert world.state.contacts[contact].state == "intake"
    world.pass_time(121_000)
    assert world.state.contacts[contact].state == "waiting"


def test_language_and_municipality_add_to_what_is_needed(world: World) -> None:
    contact = world.receive("chat", "afval", municipality="veenstede", language="en")
    assert world.state.contacts[contact].needs == {"afval": 1, "english": 1, "veenstede": 1}


# -- who is asked -----------------------------------------------------------------------------------------------


def test_the_best_level_is_asked_first_then_the_longest_idle(world: World) -> None:
    world.ready("bert")
    world.pass_time(1)
    world.ready("anna", "dia", "eef")
    assert world.offer_of(world.receive("phone"))[1] == "anna", "level 4 before 2, and dia has no telephone"
    assert world.offer_of(world.receive("phone"))[1] == "bert", "level 2 as eef, but longer idle"
    assert world.offer_of(world.receive("phone"))[1] == "eef"


def test_a_level_that_is_too_low_is_never_asked(world: World) -> None:
    world.ready("bert", "cor")
    contact = world.receive("phone", "wmo")
    assert world.offer_of(contact) == ("", "")
    found = explain(world.state, contact, world.now)
    assert found.excluded == {"missing_skill:wmo": 2, "signed_off": 3}
    assert found.details["bert"] == "missing_skill:wmo"


def test_a_burst_goes_to_as_many_agents_as_there_are(world: World) -> None:
    """A burst in which all try the same agent (peers 33)."""
    contacts = [world.receive("chat") for _ in range(4)]
    world.ready("anna", "bert", "dia", "eef")
    assert {world.offer_of(c)[1] for c in contacts} <= {"anna", "bert", "dia", "eef"}
    phones = [world.receive("phone", "afval") for _ in range(2)]
    world.ready("cor")
    assert sum(bool(world.offer_of(c)[0]) for c in phones) == 1


def test_a_contact_nobody_can_take_does_not_hold_up_the_next(world: World) -> None:
    """Weight and penalty that block others; one unavailable agent halts all (peers 14, 15)."""
    stuck = world.receive("phone", "wmo")
    world.pass_time(60_000)
    served = world.receive("phone", "afval")
    world.ready("cor")
    assert world.offer_of(stuck) == ("", "")
    assert world.offer_of(served)[1] == "cor"


def test_first_come_first_served_whatever_the_arrival_order_of_agents(world: World) -> None:
    """Old chats wait, new ones are served (peers 20)."""
    first = world.receive("phone")
    world.pass_time(1_000)
    second = world.receive("phone")
    world.ready("bert")
    assert world.offer_of(first)[1] == "bert"
    assert world.offer_of(second) == ("", "")


def test_an_agent_on_the_phone_gets_no_chat_but_may_have_mail_open(world: World) -> None:
    world.ready("anna")
    mail, _ = talking(world, "email")
    call, owner = talking(world, "phone")
    assert owner == "anna"
    chat = world.receive("chat")
    assert world.offer_of(chat) == ("", "")
    assert set(world.state.agents["anna"].load) == {mail, call}


def test_written_work_past_its_target_goes_before_later_live_work(world: World) -> None:
    mail = world.receive("email")
    world.pass_time(7_200_000)
    assert world.state.contacts[mail].tier == 0
    assert any(isinstance(f, facts.WaitExceeded) for _, f in world.record)


def test_a_waiting_contact_always_has_a_next_moment(world: World) -> None:
    contact = world.receive("phone")
    for _ in range(5):
        moment = due(world.state)
        assert moment is not None
        world.pass_time(moment - world.now + 1)
    assert world.state.contacts[contact].reminders > 0


# -- offers -----------------------------------------------------------------------------------------------------


def test_a_missed_offer_keeps_the_place_and_pauses_the_agent_with_a_way_back(world: World) -> None:
    """Reserved for ever; the agent who lets it ring is logged out for good (peers 2, 7)."""
    world.ready("anna")
    contact = world.receive("chat")
    place = world.state.contacts[contact].place
    world.pass_time(20_000)
    found = world.state.contacts[contact]
    assert (found.state, found.place) == ("waiting", place)
    assert world.state.agents["anna"].presence == "paused"
    assert world.state.agents["anna"].reason == "not_responding"
    assert not world.state.agents["anna"].load
    world.pass_time(30_000)
    world.ready("anna")
    assert world.offer_of(contact)[1] == "anna"


def test_a_declined_contact_goes_to_somebody_else_first(world: World) -> None:
    """Rings the refuser for ever; rung twice while others were not (peers 28, 41)."""
    world.ready("anna", "bert")
    contact = world.receive("chat")
    offer, agent = world.offer_of(contact)
    assert agent == "anna"
    world.ask(commands.Decline(offer, agent))
    assert world.offer_of(contact)[1] == "bert"
    assert world.state.agents["anna"].presence == "ready"


def test_only_the_offered_agent_accepts_and_only_once(world: World) -> None:
    """One call, two agents (peers 27)."""
    world.ready("anna", "bert")
    contact = world.receive("chat")
    offer, agent = world.offer_of(contact)
    assert isinstance(refused(world, commands.Accept(offer, "bert")), StaleOffer)
    world.ask(commands.Accept(offer, agent))
    again = world.ask(commands.Accept(offer, agent))
    assert again is not None
    assert not again.facts
    assert isinstance(refused(world, commands.Accept(offer, "bert")), StaleOffer)


def test_a_late_accept_after_the_offer_lapsed_is_refused(world: World) -> None:
    world.ready("anna")
    contact = world.receive("chat")
    offer, agent = world.offer_of(contact)
    world.pass_time(20_001)
    assert isinstance(refused(world, commands.Accept(offer, agent)), StaleOffer)


def test_who_hung_up_is_not_offered(world: World) -> None:
    """An agent is rung for a caller who left; a ghost call at sign-in (peers 4, 8)."""
    world.ready("anna")
    contact = world.receive("phone")
    offer, agent = world.offer_of(contact)
    world.ask(commands.EndContact(contact, "abandoned"))
    assert not world.state.offers
    assert not world.state.agents[agent].load
    assert isinstance(refused(world, commands.Accept(offer, agent)), StaleOffer)
    world.ready("bert")
    assert not world.state.offers


def test_declining_a_ringing_phone_waits_for_what_the_pbx_reports(world: World) -> None:
    world.ready("anna")
    contact = world.receive("phone")
    offer, agent = world.offer_of(contact)
    world.ask(commands.Decline(offer, agent))
    assert world.state.contacts[contact].state == "offered"
    world.ask(commands.ReportHeld(contact))
    assert world.state.contacts[contact].state == "waiting"
    ended = [f for _, f in world.record if isinstance(f, facts.OfferEnded)]
    assert ended[-1].how == "declined"


def test_picked_up_while_declining_is_a_conversation(world: World) -> None:
    world.ready("anna")
    contact = world.receive("phone")
    offer, agent = world.offer_of(contact)
    world.ask(commands.Decline(offer, agent))
    world.ask(commands.Accept(offer, agent))
    assert world.state.contacts[contact].owner == "anna"


def test_a_late_answer_is_adopted_unless_it_is_somebody_elses(world: World) -> None:
    world.ready("anna")
    contact = world.receive("phone")
    world.pass_time(24_000)
    assert world.state.contacts[contact].state == "waiting"
    world.ask(commands.AdoptAnswer(contact, "anna"))
    assert world.state.contacts[contact].owner == "anna"
    assert isinstance(refused(world, commands.AdoptAnswer(contact, "bert")), WrongState)


@pytest.mark.parametrize(
    ("reason", "presence"),
    [("busy", "ready"), ("no_answer", "paused"), ("unreachable", "paused"), ("cancelled", "ready")],
)
def test_what_a_failed_ring_means_for_the_agent(world: World, reason: str, presence: str) -> None:
    world.ready("anna")
    contact = world.receive("phone")
    offer, _ = world.offer_of(contact)
    world.ask(commands.OfferFailed(offer, reason))
    assert world.state.contacts[contact].state == "waiting"
    assert world.state.agents["anna"].presence == presence


# -- handling ---------------------------------------------------------------------------------------------------


def test_wrap_up_ends_by_itself_and_says_so(world: World) -> None:
    """Wrap-up ends for all when the last ends (peers 6)."""
    world.ready("anna", "bert")
    first, anna = talking(world)
    second, bert = talking(world)
    world.ask(commands.FinishConversation(first, anna))
    world.pass_time(30_000)
    world.ask(commands.FinishConversation(second, bert))
    world.pass_time(30_000)
    assert first not in world.state.contacts
    assert world.state.contacts[second].state == "wrap_up"
    ended = next(f for _, f in world.record if isinstance(f, facts.ContactEnded))
    assert (ended.automatic, ended.resolved) == (True, None)


def test_wrap_up_is_extended_by_its_owner_and_a_limited_number_of_times(world: World) -> None:
    world.ready("anna")
    contact, anna = talking(world)
    assert isinstance(refused(world, commands.ExtendWrapUp(contact, anna)), WrongState)
    world.ask(commands.FinishConversation(contact, anna))
    due_at = world.state.contacts[contact].due_at
    assert isinstance(refused(world, commands.ExtendWrapUp(contact, "bert")), WrongState)
    for times in range(1, 11):
        world.ask(commands.ExtendWrapUp(contact, anna))
        assert world.state.contacts[contact].due_at == due_at + times * 30_000
    assert isinstance(refused(world, commands.ExtendWrapUp(contact, anna)), TooMany)
    world.pass_time(60_000 + 299_000)
    assert world.state.contacts[contact].state == "wrap_up"
    assert replayed(world.record).contacts[contact].due_at == due_at + 300_000
    world.pass_time(2_000)
    assert contact not in world.state.contacts
    ended = [f for _, f in world.record if isinstance(f, facts.ContactEnded)]
    assert [e.automatic for e in ended] == [True]


def test_wrap_up_without_a_limit_needs_no_extension(world: World) -> None:
    world.ready("bert")
    contact, bert = talking(world, topic="afval")
    world.ask(commands.FinishConversation(contact, bert))
    assert isinstance(refused(world, commands.ExtendWrapUp(contact, bert)), WrongState)


def test_no_offer_before_the_own_wrap_up_is_over(world: World) -> None:
    """Wrap-up ends early after a transfer (peers 35)."""
    world.ready("bert")
    contact, agent = talking(world)
    waiting = world.receive("phone")
    world.ask(commands.FinishConversation(contact, agent))
    assert world.offer_of(waiting) == ("", "")
    world.ask(commands.CompleteWrapUp(contact, agent, resolved=False))
    assert world.offer_of(waiting)[1] == "bert"


def test_the_wrap_up_answer_is_kept_with_the_end(world: World) -> None:
    world.ready("anna")
    contact, agent = talking(world)
    assert isinstance(refused(world, commands.CompleteWrapUp(contact, agent, resolved=True)), WrongState)
    world.ask(commands.FinishConversation(contact, agent))
    world.ask(commands.CompleteWrapUp(contact, agent, resolved=True, topic="wmo"))
    ended = next(f for _, f in world.record if isinstance(f, facts.ContactEnded))
    assert (ended.reason, ended.resolved, ended.topic, ended.agent) == ("handled", True, "wmo", agent)


def test_handed_to_a_queue_it_keeps_its_arrival_and_frees_the_agent(world: World) -> None:
    """Idle after a transfer, never called (peers 9)."""
    world.ready("anna", "cor")
    contact, agent = talking(world, "chat")
    arrived = world.state.contacts[contact].received_at
    world.pass_time(100_000)
    world.ask(commands.HandOver(contact, agent, queue="buiten"))
    assert world.offer_of(contact)[1] == "cor"
    assert world.state.contacts[contact].received_at == arrived
    assert not world.state.agents["anna"].load
    assert world.state.contacts[contact].topic == "afval"


def test_handed_to_a_colleague_it_waits_for_that_colleague_then_for_anybody(world: World) -> None:
    world.ready("anna", "bert", "eef")
    world.ask(commands.SetPresence("cor", "paused", "lunch"))
    contact, agent = talking(world, "chat")
    world.ask(commands.HandOver(contact, agent, to_agent="cor"))
    assert world.offer_of(contact) == ("", "")
    world.ready("cor")
    assert world.offer_of(contact)[1] == "cor", "asked for by name: the skill does not matter"
    world.ask(commands.Decline(world.offer_of(contact)[0], "cor"))
    assert world.offer_of(contact)[1] in ("bert", "eef"), "anna handed it over just now"


def test_a_colleague_who_never_comes_does_not_keep_the_citizen_waiting(world: World) -> None:
    world.ready("anna", "bert")
    world.ask(commands.SetPresence("cor", "paused", "lunch"))
    contact, agent = talking(world, "chat")
    world.ask(commands.HandOver(contact, agent, to_agent="cor"))
    world.pass_time(60_001)
    assert world.offer_of(contact)[0]


def test_somebody_elses_contact_cannot_be_finished_or_written_in(world: World) -> None:
    world.ready("anna", "bert")
    contact, _ = talking(world, "chat")
    assert isinstance(refused(world, commands.FinishConversation(contact, "bert")), WrongState)
    assert isinstance(refused(world, commands.AddMessage(contact, "m-1", "agent", "v-1", "bert")), NotAllowed)


def test_messages_are_numbered_once_each(world: World) -> None:
    contact = world.receive("chat")
    first = world.ask(commands.AddMessage(contact, "m-1", "citizen", "v-1"))
    second = world.ask(commands.AddMessage(contact, "m-2", "citizen", "v-2"))
    again = world.ask(commands.AddMessage(contact, "m-1", "citizen", "v-3"))
    assert first is not None
    assert second is not None
    assert again is not None
    assert (first.answer, second.answer, again.answer) == (1, 2, 1)
    assert not again.facts


def test_a_supervisor_moves_and_closes_with_who_and_why(world: World) -> None:
    world.ready("anna")
    contact = world.receive("chat")
    world.ask(commands.MoveContact(contact, "buiten", "sup", "v-why"))
    found = world.state.contacts[contact]
    assert (found.state, found.queue, found.topic) == ("waiting", "buiten", "afval")
    assert not world.state.agents["anna"].load
    world.ask(commands.CloseContact(contact, "sup", "v-why2"))
    ended = next(f for _, f in world.record if isinstance(f, facts.ContactEnded))
    assert (ended.reason, ended.by, ended.why_ref) == ("closed", "sup", "v-why2")
    assert isinstance(refused(world, commands.MoveContact(contact, "balie", "sup", "v")), WrongState)


def test_moved_twice_to_the_same_queue_is_moved_once(world: World) -> None:
    world.ready("cor")
    contact = world.receive("chat")
    move = commands.MoveContact(contact, "buiten", "sup", "v-why")
    world.ask(move)
    offer = world.offer_of(contact)
    assert offer == (f"{contact}-1", "cor")
    world.ask(move)
    assert world.offer_of(contact) == offer, "what followed from the move stands"


# -- staff ------------------------------------------------------------------------------------------------------


def test_a_lost_desk_gets_no_offers_and_gives_its_chats_back_in_time(world: World) -> None:
    """Online after closing the browser (peers 10); returned to an offline agent (peers 24)."""
    world.ready("anna")
    contact, _ = talking(world, "chat")
    world.ask(commands.LoseAgent("anna"))
    other = world.receive("chat")
    assert world.offer_of(other) == ("", "")
    world.ready("bert")
    world.pass_time(119_000)
    assert world.state.contacts[contact].owner == "anna"
    world.pass_time(1_500)
    assert world.state.contacts[contact].owner == ""
    assert world.state.agents["anna"].presence == "paused"


def test_a_reload_within_the_time_changes_nothing(world: World) -> None:
    world.ready("anna")
    contact, _ = talking(world, "chat")
    world.ask(commands.LoseAgent("anna"))
    world.pass_time(10_000)
    world.ask(commands.RegainAgent("anna"))
    world.pass_time(300_000)
    assert world.state.contacts[contact].owner == "anna"
    assert world.state.agents["anna"].presence == "ready"


def test_who_has_been_gone_too_long_is_not_ready_before_the_desk_is_back(world: World) -> None:
    """Nor was after a restart: the moment at which the agent was paused counts on."""
    world.ready("anna")
    world.ask(commands.LoseAgent("anna"))
    world.pass_time(120_000)
    assert world.state.agents["anna"].presence == "paused"
    world.ready("anna")
    world.pass_time(1)
    assert world.state.agents["anna"].presence == "paused"
    world.ask(commands.RegainAgent("anna"))
    world.ready("anna")
    world.pass_time(300_000)
    assert world.state.agents["anna"].presence == "ready"


def test_signing_off_with_a_contact_in_hand_is_refused_and_with_an_offer_gives_it_back(world: World) -> None:
    world.ready("anna", "bert")
    contact = world.receive("chat")
    assert world.offer_of(contact)[1] == "anna"
    world.ask(commands.SetPresence("anna", "signed_off"))
    offer, agent = world.offer_of(contact)
    assert agent == "bert"
    world.ask(commands.Accept(offer, agent))
    assert isinstance(refused(world, commands.SetPresence("bert", "signed_off")), WrongState)


def test_follow_ups_have_an_owner_and_a_deadline_and_become_overdue(world: World) -> None:
    world.ready("anna")
    contact, agent = talking(world)
    world.ask(commands.MakeFollowUp("f-1", contact, agent, world.now + 3_600_000, "v-1", owner_queue="balie"))
    assert isinstance(refused(world, commands.MakeFollowUp("f-2", contact, agent, world.now + 1, "v-1")), InvalidInput)
    world.pass_time(3_600_001)
    assert world.state.follow_ups["f-1"].state == "overdue"
    world.ask(commands.AssignFollowUp("f-1", agent, owner_agent="bert"))
    world.ask(commands.CompleteFollowUp("f-1", "bert"))
    assert not world.state.follow_ups
    assert isinstance(refused(world, commands.CompleteFollowUp("f-1", "bert")), UnknownThing)


# -- the world outside --------------------------------------------------------------------------------------------


def test_nothing_is_offered_on_a_channel_before_its_census(world: World) -> None:
    """A change missed while the service was down (peers 11); calls not recovered (peers 44)."""
    world.ready("anna")
    held, _ = talking(world, "phone")
    gone = world.receive("phone")
    kept = world.receive("phone")
    world.ask(commands.StartCentre(("phone",)))
    world.ready("bert", "eef")
    assert world.offer_of(kept) == ("", "")
    world.ask(commands.ReportCensus("phone", (held, kept), {held: "anna"}))
    assert gone not in world.state.contacts
    assert world.offer_of(kept)[0]
    assert world.state.contacts[held].state == "active"


def test_the_census_adopts_what_was_answered_meanwhile(world: World) -> None:
    world.ready("anna")
    contact = world.receive("phone")
    world.ask(commands.StartCentre(("phone",)))
    world.ask(commands.ReportCensus("phone", (contact,), {contact: "anna"}))
    assert world.state.contacts[contact].owner == "anna"


def promises(world: World) -> dict[str, facts.FollowUpMade]:
    """Contact -> the call back it is owed."""
    return {fact.contact: fact for _, fact in world.record if isinstance(fact, facts.FollowUpMade)}


def test_a_call_whose_pbx_ended_under_it_is_owed_a_call_back(world: World) -> None:
    world.ready("anna")
    talks = world.receive("phone", citizen="v-1")
    world.ask(commands.Accept(*world.offer_of(talks)))
    waits, anonymous = world.receive("phone", citizen="v-2"), world.receive("phone")
    menu = world.receive("phone", citizen="v-3", classify=False)
    world.pass_time(1)
    for _ in range(2):
        world.ask(commands.LoseChannel("phone"))
        world.ask(commands.ReportCensus("phone", up_seconds=0))
    made = promises(world)
    assert set(made) == {talks, waits, menu}
    for promise in made.values():
        assert (promise.reason, promise.by, promise.owner_agent, promise.text_ref) == ("cut_off", "centre", "", "")
        assert promise.owner_queue
        assert promise.due_at > world.now
    assert not {waits, anonymous, menu} & set(world.state.contacts)
    assert world.state.contacts[talks].state == "wrap_up"


def test_who_hangs_up_unseen_is_owed_nothing(world: World) -> None:
    """The PBX went on, or began before they called."""
    before = world.receive("phone", citizen="v-1")
    world.pass_time(60_000)
    after = world.receive("phone", citizen="v-2")
    world.pass_time(10_000)
    world.ask(commands.LoseChannel("phone"))
    world.ask(commands.ReportCensus("phone", up_seconds=30))
    unknown = world.receive("phone", citizen="v-3")
    world.ask(commands.LoseChannel("phone"))
    world.ask(commands.ReportCensus("phone"))
    assert not {before, after, unknown} & set(world.state.contacts)
    assert set(promises(world)) == {before}


def test_a_regular_census_leaves_the_newest_changes_alone(world: World) -> None:
    contact = world.receive("phone")
    world.ask(commands.ReportCensus("phone", ()))
    assert contact in world.state.contacts
    world.pass_time(5_001)
    world.ask(commands.ReportCensus("phone", ()))
    assert contact not in world.state.contacts


def test_a_start_with_twice_as_many_waiting_takes_twice_the_work_not_four_times() -> None:
    def work(count: int) -> int:
        """Calls that the engine makes to put a centre with so many waiting, and one agent there, back in service."""
        world = World()
        for _ in range(count):
            world.made += 1
            received = commands.Receive(
                f"c-{world.made}", "email", "waterland", f"k-{world.made}", hints=("topic:wmo",)
            )
            advance(world.state, received, world.now)
        advance(world.state, commands.SetPresence("cor", "ready"), world.now)
        calls = 0

        def count_call(_frame: object, event: str, _argument: object) -> None:
            nonlocal calls
            calls += event == "call"

        sys.setprofile(count_call)
        try:
            advance(world.state, commands.StartCentre(()), world.now)
        finally:
            sys.setprofile(None)
        return calls

    assert work(400) < 3 * work(200)


def test_effects_follow_from_facts(world: World) -> None:
    world.ready("anna")
    contact = world.receive("phone")
    offered = next(f for _, f in world.record if isinstance(f, facts.ContactOffered))
    assert effects_of(world.state, offered) == [("phone", Ring(contact, f"{contact}-1", "anna", "a1", 20))]
    world.ask(commands.Accept(*world.offer_of(contact)))
    decision = world.ask(commands.FinishConversation(contact, "anna"))
    assert decision is not None
    assert effects_of(world.state, decision.facts[0]) == [("phone", HangUp(contact, "agent"))]


def test_handing_a_call_over_puts_it_on_hold(world: World) -> None:
    world.ready("anna")
    contact, agent = talking(world)
    decision = world.ask(commands.HandOver(contact, agent, queue="balie"))
    assert decision is not None
    assert effects_of(world.state, decision.facts[0]) == [("phone", Hold(contact))]


def test_a_mail_reply_is_owed_until_it_is_settled_and_never_repeated_when_unknown(world: World) -> None:
    """At most one e-mail per reply (invariant 13)."""
    world.ready("anna")
    contact, agent = talking(world, "email")
    world.ask(commands.AddMessage(contact, "m-1", "agent", "v-1", agent, deliver=True))
    assert owed_deliveries(world.state) == [("email", Deliver(contact, 1, "v-1"))]
    world.ask(commands.NoteDelivery(contact, 1, "started"))
    assert owed_deliveries(world.state) == []
    assert interrupted_deliveries(world.state) == [(contact, 1)]
    world.ask(commands.NoteDelivery(contact, 1, "unknown"))
    assert world.state.outgoing == {}
    late = world.ask(commands.NoteDelivery(contact, 1, "delivered"))
    assert late is not None
    assert not late.facts


def test_a_new_configuration_counts_from_its_fact_on(world: World) -> None:
    from dataclasses import replace

    contact = world.receive("phone", "wmo")
    world.ready("bert")
    assert world.offer_of(contact) == ("", "")
    agents = tuple(replace(a, skills={**a.skills, "wmo": 4}) if a.id == "bert" else a for a in world.centre.agents)
    world.ask(commands.Configure(replace(world.centre, agents=agents), "2"))
    assert world.offer_of(contact)[1] == "bert"


def test_an_adopted_answer_takes_the_place_of_another_call_that_was_about_to_ring(world: World) -> None:
    """Never two live calls: the phone picked up the first although the second was offered by then."""
    world.ready("anna")
    first = world.receive("phone", "wmo")
    offer, agent = world.offer_of(first)
    world.ask(commands.OfferFailed(offer, "technical"))
    second = world.receive("phone", "wmo")
    assert world.offer_of(second)[1] == agent
    world.ask(commands.AdoptAnswer(first, agent))
    assert world.state.contacts[first].owner == agent
    assert world.state.contacts[second].state == "waiting"
    assert set(world.state.agents[agent].load) == {first}
    assert isinstance(refused(world, commands.AdoptAnswer(second, agent)), WrongState)


def test_a_call_in_the_menu_goes_on_in_the_menu_when_only_the_link_was_lost(world: World) -> None:
    world.pass_time(1_000)
    contact = world.receive("phone", classify=False)
    world.ask(commands.LoseChannel("phone"))
    world.ask(commands.ReportCensus("phone", (contact,)))
    assert world.state.contacts[contact].state == "intake"
    world.ask(commands.StartCentre(("phone",)))
    world.ask(commands.ReportCensus("phone", (contact,)))
    assert world.state.contacts[contact].state == "waiting"


def test_a_call_that_fell_back_on_hold_does_not_ring_the_same_phone_at_once(world: World) -> None:
    world.ready("anna", "bert")
    contact, agent = talking(world)
    world.ask(commands.ReportHeld(contact))
    assert agent == "anna"
    assert world.offer_of(contact)[1] == "bert"


def test_the_index_of_a_centre_before_its_first_configuration_can_be_made() -> None:
    """What a server with an empty journal starts from."""
    state = State()
    rebuild_index(state)
    assert not state.index.agents


# -- several PBXs -------------------------------------------------------------------------------------------------


def test_the_calls_of_one_pbx_wait_for_its_census_and_those_of_the_other_go_on(world: World) -> None:
    world.ask(commands.StartCentre(("phone@left", "phone@right")))
    for pbx in ("left", "right"):
        world.ask(commands.ReportCensus(f"phone@{pbx}"))
    there, here = world.receive("phone", pbx="left", citizen="v-1"), world.receive("phone", pbx="right")
    world.pass_time(1)
    world.ask(commands.LoseChannel("phone@left"))
    world.ready("anna")
    assert world.offer_of(there) == ("", "")
    assert explain(world.state, there, world.now).excluded["census"] == 1
    assert world.offer_of(here)[1] == "anna"
    world.ready("bert")
    assert world.offer_of(there) == ("", "")
    world.ask(commands.ReportCensus("phone@left", (there,)))
    assert world.offer_of(there)[1] == "bert"


def test_a_pbx_that_ended_takes_only_its_own_calls_with_it(world: World) -> None:
    world.ask(commands.StartCentre(("phone@left", "phone@right")))
    for pbx in ("left", "right"):
        world.ask(commands.ReportCensus(f"phone@{pbx}"))
    there, here = (world.receive("phone", pbx=pbx, citizen="v-1") for pbx in ("left", "right"))
    world.pass_time(1)
    world.ask(commands.LoseChannel("phone@left"))
    world.ask(commands.ReportCensus("phone@left", up_seconds=0))
    assert there not in world.state.contacts
    assert world.state.contacts[here].state == "waiting"
    assert set(promises(world)) == {there}


def test_calls_of_a_pbx_that_is_no_longer_configured_are_over_at_the_next_start(world: World) -> None:
    alone, left = world.receive("phone"), world.receive("phone", pbx="left")
    mail = world.receive("email")
    world.ask(commands.StartCentre(("desk", "phone@left", "phone@right")))
    assert alone not in world.state.contacts
    assert {left, mail} <= set(world.state.contacts)
