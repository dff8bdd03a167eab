"""Say in which folder files are looked for."""

from __future__ import annotations

from edgescript.declare.entries import Action, Build, Role, directive
from edgescript.declare.fields import Risk, arg
from edgescript.declare.kinds import PathTemplate
from edgescript.files import roots
from edgescript.http.exchange import Exchange


@directive("root", role=Role.REWRITER)
class Root:
    """
    Say in which folder `files` and `try_files` below look for files.

    A relative path starts at the folder of the Edgefile. Placeholders are filled in for each request; one that has no value,
    or leads out of the path as it is written (`..`), is answered 404.

    ```edge-test
    http://a.example.com, http://b.example.com {
        root /srv/sites/{host}
        files
    }
    test "a site without a folder has no files" {
        request GET http://a.example.com/index.html
        expect status 404
    }
    ```
    """

    path: PathTemplate = arg("The folder.", risk=Risk.FOLDER)

    def build(self, build: Build) -> Action:
        constant = self.path.constant
        if constant is None:
            read = roots.checked(self.path.read, self.path.text, build.directory())
        else:
            folder = roots.absolute(constant, build.directory())

            def read(exchange: Exchange) -> str:
                return folder

        def root(exchange: Exchange) -> None:
            exchange.root = read(exchange)

        return root
