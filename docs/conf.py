"""Settings of the documentation: ``./run docs`` builds it into ``docs/_build``."""

import ecgspasm

project = "ecgspasm"
author = "The ecgspasm developers"
copyright = "2026, the ecgspasm developers"
version = release = ecgspasm.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
# links to files of the project are links to files, which the pages have beside them only in the project itself
suppress_warnings = ["myst.xref_missing", "toc.excluded"]

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"ecgspasm {version}"
html_show_sphinx = False
html_copy_source = False
