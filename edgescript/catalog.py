"""All entries there are: found by walking the shelves, imported when first asked for.

The catalogue is a value that is passed in. A shelf is a package; the file `try_files.py` holds the entry `try_files`, and
`not_.py` the entry `not`, so that names can be listed, and misspelt ones answered, without importing anything. Other
packages add entries through the entry-point group `edgescript.entries`.
"""
