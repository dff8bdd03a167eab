"""Ask for something else."""

from __future__ import annotations

from edgescript.declare.entries import Action, Build, Role, directive
from edgescript.declare.fields import Risk, arg
from edgescript.directives._uri import RewriteTarget


@directive("rewrite", role=Role.REWRITER)
class Rewrite:
    """
    Change the path or the query of the request, for every directive below and for the upstream.

    Only what is written changes: `rewrite /new` leaves the query as it is, `rewrite ?a=b` leaves the path, and
    `rewrite /new?` empties the query. `{query}` merges the old query into the new one. The values of placeholders are
    encoded for their place: none can add a query, or step out of the path it is put into. A placeholder alone
    (`rewrite {vars.target}`) is a whole URI.

    ```edge-test
    :80 {
        rewrite /v1/* /api{path}
        rewrite /search/* /find?q={path.1}&{query}
        rewrite /clean ?
        respond "{uri}"
    }
    test "path and query" {
        request GET http://localhost/v1/a%20b?x=1
        expect body "/api/v1/a%20b?x=1"
        request GET http://localhost/search/a&b?page=2
        expect body "/find?q=a%26b&page=2"
        request GET http://localhost/search/x
        expect body "/find?q=x"
        request GET http://localhost/clean?x=1
        expect body "/clean"
    }
    ```
    """

    to: RewriteTarget = arg("The path, the query behind `?`, or both.", risk=Risk.PATH)

    def build(self, build: Build) -> Action:
        return self.to.apply
