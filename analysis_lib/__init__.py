"""The helper library behind Shopbook's notebooks.

Packages are stacked in floors; each imports only from floors below its own (see
``CONTRIBUTING.md``). Nothing heavy is imported here, so that the command line starts fast.
"""

__version__ = "0.1.0"
