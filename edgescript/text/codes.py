"""Every code a problem can have. Codes are never reused: people search for them.

E0xx text and structure · E1xx names and values · E2xx the graph · E3xx running and files · W… warnings
"""

from __future__ import annotations

CODES: dict[str, str] = {
    # language
    "E001": "a character that cannot stand in an Edgefile",
    "E002": "a quoted, raw or heredoc text that does not end",
    "E003": "a block that is not closed",
    "E004": "a closing brace without a block",
    "E005": "an opening brace at a place where no block can begin",
    "E006": "the global block is not the first thing in the file",
    "E007": "an environment variable that is not set",
    "E008": "an import of something that is not there",
    "E009": "an import that imports itself",
    "E010": "a snippet that is defined twice",
    "E011": "an import argument that was not given",
    "E012": "a malformed escape in a quoted text",
    "E013": "the file is no UTF-8 text",
    "E014": "blocks nested too deep, or a file or its imports too large",
    "E015": "something directly behind a closing quote, or on the line of a closing brace",
    "E016": "a line outside of every site",
    # names and values
    "E101": "an unknown directive",
    "E102": "an unknown option",
    "E103": "an unknown matcher",
    "E104": "an unknown placeholder",
    "E105": "an unknown global setting",
    "E106": "a value of the wrong kind",
    "E107": "a value that is missing",
    "E108": "more values than are taken",
    "E109": "a block where none is taken, or none where one is needed",
    "E110": "an option that is given twice",
    "E111": "a named matcher that is not defined",
    "E112": "a named matcher that is defined twice",
    "E113": "a malformed site address",
    "E114": "a malformed expression",
    "E115": "values that contradict each other",
    "E116": "a directive at a place where it cannot stand",
    "E117": "an unknown balancing policy",
    "W101": "a plug-in that cannot be used",
    # the graph
    "E201": "a directive that can never run",
    "E202": "two sites with the same address",
    "E203": "a site that this version cannot serve",
    "E204": "an upstream scheme that this version does not speak",
    "E205": "a directive that cannot be set up on this machine",
    "W201": "a handle that an earlier one shadows",
    "W202": "a wrapper below the directive that it should act on",
}
