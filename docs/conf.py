"""The documentation's site: `make docs` builds it into docs/_build/html, without a network."""

from reinfuse.version import __version__

project = "reinfuse"
author = "The reinfuse developers"
version = release = __version__

extensions = ["myst_nb", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary"]
exclude_patterns = ["_build"]
html_extra_path = ["_build/extra"]  # the sample report, made before the pages
html_static_path = ["_static"]
templates_path = ["_templates"]

myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_execution_show_tb = True
nb_merge_streams = True
nb_mime_priority_overrides = [("html", "image/svg+xml", 0)]  # figures as drawings, not as pixels

autodoc_typehints_format = "short"
autodoc_type_aliases = {name: name for name in ("Bools", "Floats", "Integers", "Summary")}
autodoc_member_order = "bysource"
autosummary_generate = True
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = f"reinfuse {__version__}"
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {page: [] for page in ("from-spreadsheet", "methods", "faq", "comparison")}
html_theme_options = {
    "navigation_with_keys": False,
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "show_prev_next": False,
    "footer_start": [],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}


def setup(app):
    """Let links to CONTRIBUTING.md, which stands beside the sources of the pages, lead to its page."""
    app.connect("source-read", _with_contributing)


def _with_contributing(_app, _page, text):
    text[0] = text[0].replace("](../CONTRIBUTING.md", "](contributing.md")
