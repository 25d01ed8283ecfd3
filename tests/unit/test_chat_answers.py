"""At the end of a chat its visitor is asked whether the question was answered: once, and only who was helped."""

from __future__ import annotations

from router.engine import commands
from tests.unit.test_chat import beginning, rig


async def test_who_was_helped_can_say_whether_the_question_was_answered(tmp_path):
    async with rig(tmp_path) as r:
        page = await r.browser()
        begun = await page.ok("start", beginning())
        assert await page.refused("answer", {"answered": True}) == "wrong_state"
        await r.scene.take_in_hand(begun["contact"])
        await page.until_status(state="active")
        assert await page.refused("answer", {"answered": True}) == "wrong_state", "it is not over yet"
        await page.ok("end")
        await page.until_status(state="ended", helped=True, answered=None)
        await page.ok("answer", {"answered": False})
        await page.until_status(state="ended", helped=True, answered=False)
        await page.ok("answer", {"answered": False})
        await page.ok("answer", {"answered": False, "mark": 6})
        assert await page.refused("answer", {"answered": True}) == "wrong_state", "the first answer stands"
        assert await page.refused("answer", {"answered": False, "mark": 11}) == "invalid"
        assert await page.refused("answer", {"answered": "no"}) == "invalid"
        given = {(c.contact, c.answered, c.mark) for c in r.scene.port.of(commands.AnswerCitizen)}
        assert (begun["contact"], False, 6) in given

        again = await r.browser()
        resumed = await again.ok("resume", {"token": begun["token"], "after": 0})
        assert resumed["status"]["answered"] is False


async def test_who_left_before_anybody_helped_is_not_asked(tmp_path):
    async with rig(tmp_path) as r:
        page = await r.browser()
        await page.ok("start", beginning())
        await page.ok("end")
        await page.until_status(state="ended", helped=False)
        assert await page.refused("answer", {"answered": False}) == "wrong_state"
        assert r.scene.port.of(commands.AnswerCitizen) == []
