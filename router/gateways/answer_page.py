"""The page behind the link under a reply: is your question answered? Plain HTML, for every browser and screen reader.

Opening it records nothing: mail programs open links by themselves. Only the button does.
"""

from __future__ import annotations

from html import escape
from string import Template
from urllib.parse import parse_qs

from aiohttp import web

from router.engine.commands import AnswerCitizen
from router.errors import Erased, UnknownThing, WrongState
from router.gateways.answer_links import AnswerLinks
from router.gateways.routes import Rooms
from router.web import RateLimit, peer_address, read_bytes

FORM_LIMIT_BYTES = 1_000
PER_MINUTE = 20
MARKS = range(1, 11)

TEXTS = {
    "nl": {
        "title": "Is uw vraag beantwoord?",
        "about": "Uw antwoord helpt ons om vragen in één keer goed te beantwoorden.",
        "yes": "Ja",
        "no": "Nee",
        "mark": "Welk cijfer geeft u ons? (hoeft niet)",
        "none": "geen cijfer",
        "send": "Verstuur",
        "thanks": "Bedankt voor uw antwoord.",
        "again": "U hebt deze vraag al beantwoord. Dank u wel.",
        "early": "Wij zijn nog bezig met uw vraag. Probeer het later nog eens.",
        "gone": "Deze vraag kan niet meer beantwoord worden.",
        "choose": "Kies ja of nee.",
    },
    "en": {
        "title": "Has your question been answered?",
        "about": "Your answer helps us to answer questions well in one go.",
        "yes": "Yes",
        "no": "No",
        "mark": "Which mark out of 10 do you give us? (optional)",
        "none": "no mark",
        "send": "Send",
        "thanks": "Thank you for your answer.",
        "again": "You have answered this question already. Thank you.",
        "early": "We are still working on your question. Please try again later.",
        "gone": "This question can no longer be answered.",
        "choose": "Choose yes or no.",
    },
}

PAGE = Template("""<!doctype html>
<html lang="$language">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>$title - $name</title>
<style>
:root { color-scheme: light dark; }
body { font: 1.125rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 0 auto; padding: 2rem 1rem;
  background: light-dark(#fff, #10161d); color: light-dark(#17222e, #e6ebf1); }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0.5rem 0; }
fieldset { border: 0; margin: 1.5rem 0; padding: 0; display: flex; gap: 1rem; }
legend { padding: 0; }
label.choice { border: 1px solid #76828f; border-radius: 0.5rem; padding: 0.75rem 1.5rem; min-width: 6rem; }
input[type=radio] { width: 1.25rem; height: 1.25rem; margin: 0 0.5rem 0 0; vertical-align: -0.2rem; }
select, button { font: inherit; padding: 0.6rem 1rem; border-radius: 0.5rem; border: 1px solid #76828f; }
button { background: light-dark(#154273, #8fbdf0); color: light-dark(#fff, #0d1b2a); border: 0; font-weight: 600; }
:focus-visible { outline: 3px solid light-dark(#154273, #fff); outline-offset: 3px; }
.problem { border-left: 4px solid light-dark(#a91f17, #ff9a90); padding-left: 0.75rem; }
</style>
</head>
<body><main>
<p>$name</p>
$content
</main></body>
</html>
""")


class AnswerPage:
    """Two handlers under `/answer/{language}/{contact}/{seal}`."""

    def __init__(self, rooms: Rooms, links: AnswerLinks) -> None:
        self._rooms, self._links = rooms, links
        self._limit = RateLimit(PER_MINUTE, 60, rooms.now)

    def mount(self, app: web.Application) -> None:
        where = "/answer/{language:nl|en}/{contact}/{seal}"
        app.router.add_get(where, self._show)
        app.router.add_post(where, self._take)

    async def _show(self, request: web.Request) -> web.StreamResponse:
        if self._rooms.views.contacts.get(self._contact(request)) is None:
            return self._said("gone", request, 404)
        return self._page(request, self._form(request))

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self._limit.take(peer_address(request))
        contact = self._contact(request)
        form = parse_qs((await read_bytes(request, FORM_LIMIT_BYTES)).decode("ascii", "replace"))
        answered, mark = form.get("answered", [""])[0], form.get("mark", ["0"])[0]
        if not contact:
            return self._said("gone", request, 404)
        if answered not in ("yes", "no") or mark not in ("0", *map(str, MARKS)):
            return self._page(request, self._form(request, "choose"), 400)
        try:
            await self._rooms.submit(AnswerCitizen(contact, answered == "yes", int(mark)))
        except (UnknownThing, Erased):
            return self._said("gone", request, 404)
        except WrongState:
            entry = self._rooms.views.contacts.get(contact)
            return self._said("again" if entry is not None and entry.state == "ended" else "early", request, 409)
        return self._said("thanks", request)

    def _contact(self, request: web.Request) -> str:
        """The contact of a link that was made here; "" of any other."""
        contact = request.match_info["contact"]
        return contact if self._links.holds(contact, request.match_info["seal"]) else ""

    def _name(self, request: web.Request) -> str:
        """Of the municipality that answered; of the centre when the contact is no more."""
        views = self._rooms.views
        entry = views.contacts.get(self._contact(request))
        municipality = views.centre.municipality(entry.municipality) if entry else None
        return municipality.name if municipality else views.centre.name

    def _form(self, request: web.Request, problem: str = "") -> str:
        t = TEXTS[request.match_info["language"]]
        wrong = f'<p class="problem" role="alert">{t[problem]}</p>' if problem else ""
        marks = "".join(f'<option value="{n}">{n}</option>' for n in MARKS)
        choices = "".join(
            f'<label class="choice"><input type="radio" name="answered" value="{value}" required>{t[value]}</label>'
            for value in ("yes", "no")
        )
        return (
            f'{wrong}<form method="post"><fieldset><legend><h1>{t["title"]}</h1></legend>{choices}</fieldset>'
            f'<p><label for="mark">{t["mark"]}</label><br><select id="mark" name="mark">'
            f'<option value="0">{t["none"]}</option>{marks}</select></p>'
            f"<p><button>{t['send']}</button></p></form><p>{t['about']}</p>"
        )

    def _said(self, key: str, request: web.Request, status: int = 200) -> web.Response:
        return self._page(request, f'<h1 role="status">{TEXTS[request.match_info["language"]][key]}</h1>', status)

    def _page(self, request: web.Request, content: str, status: int = 200) -> web.Response:
        language = request.match_info["language"]
        title = TEXTS[language]["title"]
        text = PAGE.substitute(language=language, title=title, name=escape(self._name(request)), content=content)
        # A form sent from a page without a referrer has no origin either: it would be taken for another page's.
        headers = {"Referrer-Policy": "same-origin"}
        return web.Response(text=text, status=status, content_type="text/html", headers=headers)
