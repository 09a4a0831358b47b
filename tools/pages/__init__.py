"""What `tools/site.py` is made of: notebooks to pages, the package to its reference, and the look
of both."""
