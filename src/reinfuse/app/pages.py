"""Pages: templates with every value escaped, the texts of one file, and the navigation of all screens."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reinfuse.version import __version__

if TYPE_CHECKING:
    from reinfuse.app.project import Project

_ROOT = Path(str(files("reinfuse.app")))


class NavigationItem(Protocol):
    """What the navigation needs to know of a screen."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def applies(self) -> Callable[[Project], bool]:
        """Whether a project has it at all."""

    @property
    def reachable(self) -> Callable[[Project], bool]:
        """Whether a project is so far."""


class Pages:
    """Makes pages of templates.

    Parameters
    ----------
    base
        Path below which all pages lie.
    screens
        In the order of the navigation.
    """

    def __init__(self, base: str, screens: Sequence[NavigationItem]) -> None:
        self.base, self.screens = base, screens
        self.texts: Mapping[str, Any] = tomllib.loads((_ROOT / "texts" / "en.toml").read_text(encoding="utf-8"))
        self._environment = Environment(loader=FileSystemLoader(_ROOT / "templates"), autoescape=True,
                                        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)  # fmt: skip
        self._environment.globals.update(t=self.texts, counted=counted, static=self.static, version=__version__)

    def page(self, template: str, project: Project | None, *, screen: str, **context: Any) -> str:
        """Return a whole page: of a project, on a screen."""
        navigation = self._navigation(project, screen)
        return self.fragment(template, project, navigation=navigation, screen=screen, **context)

    def fragment(self, template: str, project: Project | None, **context: Any) -> str:
        """Return what a template gives."""
        stamp = project.stamp if project is not None else ""
        return self._environment.get_template(template).render(project=project, stamp=stamp, base=self.base, **context)

    def address(self, project: Project | None, screen: str = "", part: str = "", **query: str) -> str:
        """Return the address of a page."""
        place = f"{self.base}/" if project is None else f"{self.base}/p/{project.id}/"
        place += "/".join(quote(p) for p in (screen, part) if p)
        return f"{place}?{urlencode(query)}" if query else place

    def after(self, project: Project, screen: str) -> str:
        """Return the address of the next screen that a project can open; of this one, if there is none."""
        places = [s.name for s in self.screens]
        later = [s.name for s in self.screens[places.index(screen) + 1 :] if s.reachable(project)]
        return self.address(project, (*later, screen)[0])

    def static(self, name: str) -> str:
        """Return the address of a style sheet, script or picture."""
        return f"{self.base}/static/{name}"

    def _navigation(self, project: Project | None, screen: str) -> list[dict[str, Any]]:
        """Return each screen: name, title, whether it is this one, and its address where it can be reached."""
        return [{"name": s.name, "title": self.texts[s.name]["title"], "current": s.name == screen,
                 "address": self.address(project, s.name) if project and s.reachable(project) else ""}
                for s in self.screens if project is None or s.applies(project)]  # fmt: skip


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number with its noun: ``1 row``, ``1,200 rows``."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
