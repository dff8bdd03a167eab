"""The LALR table of grammar/edgefile.lark, computed by lark. Written by `make generate`; not to be changed by hand."""

# fmt: off
#: Of each rule of the grammar, its name and how many symbols it has.
RULES: tuple[tuple[str, int], ...] = (
    ("file", 0),
    ("_item", 1),
    ("file", 1),
    ("__file_star_0", 1),
    ("block", 2),
    ("__file_star_0", 2),
    ("block", 3),
)

#: Of each state, what a symbol does: it leads to a state, or (~n) the n-th rule ends before it. A file begins in the first one.
STATES: tuple[dict[str, int], ...] = (
    {"$END": -1, "LINES": 1, "OPEN": 2, "__file_star_0": 3, "_item": 4, "block": 5, "file": 6},
    {"$END": -2, "CLOSE": -2, "LINES": -2, "OPEN": -2},
    {"CLOSE": 7, "LINES": 1, "OPEN": 2, "__file_star_0": 8, "_item": 4, "block": 5},
    {"$END": -3, "LINES": 1, "OPEN": 2, "_item": 9, "block": 5},
    {"$END": -4, "CLOSE": -4, "LINES": -4, "OPEN": -4},
    {"$END": -2, "CLOSE": -2, "LINES": -2, "OPEN": -2},
    {"$END": 6},
    {"$END": -5, "CLOSE": -5, "LINES": -5, "OPEN": -5},
    {"CLOSE": 10, "LINES": 1, "OPEN": 2, "_item": 9, "block": 5},
    {"$END": -6, "CLOSE": -6, "LINES": -6, "OPEN": -6},
    {"$END": -7, "CLOSE": -7, "LINES": -7, "OPEN": -7},
)
