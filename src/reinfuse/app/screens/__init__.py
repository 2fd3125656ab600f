"""The screens, one module each, in `registry.SCREENS` in the order of the navigation.

A screen NAME is four things:

1. ``screens/NAME.py`` exports ``SCREEN = Screen(name="NAME", show=..., actions={...}, parts={...}, reachable=...)``
   (`app.screen.Screen`). Its functions take a `Visit` and return a response: ``visit.page(problems=...)`` gives
   ``templates/NAME.html``, ``visit.go()`` or ``visit.go("report")`` answers a form (POST, redirect, GET),
   ``visit.fragment("part.html", ...)`` a piece that the page's script puts in place, ``visit.framed(html)`` a whole
   report for a sandboxed frame, ``visit.file(bytes, kind, save_as="report.docx")`` a file.
2. ``templates/NAME.html`` extends ``base.html`` and fills ``{% block main %}``. Every value is escaped. A form is
   ``{% from "forms.html" import form with context %}{% call form("ACTION") %} ... {% endcall %}``: it carries the
   project's stamp, so that it changes nothing when another tab has. Addresses: ``address("SCREEN", "PART")``.
3. ``[NAME]`` in ``texts/en.toml`` with ``title`` and all its sentences: ``{{ t.NAME.lead }}``,
   ``{{ t.NAME.left.format(n=3) }}``.
4. Its line in `registry.SCREENS`.

Functions run in a thread of their own, import the service layer (`reinfuse.study`) when they are called, so that the
first page comes at once, and compute nothing themselves. State is the project's folder (`app.project.Project`); an
action holds the project's lock. What is refused (`exceptions.Refused`) becomes a page with every problem, what fails a
page without a value: let both rise. What takes longer than a click is a job (`app.jobs`) in a process of its own:
``visit.services.tasks.begin((project.id, "NAME"), "JOB", {...})``; the page asks for its progress:
``<div data-poll="{{ address('run', 'progress') }}">`` is replaced every second by what that part answers, until it
answers without ``data-poll``; without a script, the page has a link that asks again.

The page loads nothing but ``static/app.css`` and ``static/app.js``: no style or script within a page (the content
security policy refuses them), and figures as ``<img>``.
"""
