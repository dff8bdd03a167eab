"""The lines of each context, with the names there are. Written by `make generate`; not to be changed by hand."""

# ruff: noqa: E501

from __future__ import annotations

from edgescript.highlight.syntax import Line, Part, Syntax

# fmt: off
SYNTAX = Syntax(
    contexts={
        "file": (
            Line(
                part=Part.TEST,
                words=("test",),
                block="test",
            ),
            Line(
                part=Part.SNIPPET,
                pattern="\\([\\w-]+\\)",
                block="directives",
            ),
            Line(
                part=Part.BRACE,
                pattern="(?=\\{[ \\t]*(?:#.*)?$)",
                block="settings",
            ),
            Line(
                part=Part.KEYWORD,
                words=("import",),
                block="directives",
            ),
            Line(
                part=Part.NAMED_MATCHER,
                pattern="@[\\w-]+",
                block="matchers",
                names=("client_ip", "cookie", "expression", "header", "header_regexp", "host", "method", "not",
                     "path", "path_regexp", "protocol", "query", "remote_ip", "scheme"),
                named=Part.MATCHER,
            ),
            Line(
                part=Part.GROUP,
                words=("handle", "handle_errors", "handle_path", "route"),
                block="directives",
            ),
            Line(
                part=Part.DIRECTIVE,
                words=("abort", "app", "bind", "error", "files", "header", "log", "map", "method", "metrics",
                     "proxy", "python", "redir", "request_body", "request_header", "respond", "rewrite",
                     "root", "try_files", "uri", "vars"),
                block="options",
            ),
            Line(
                part=Part.SITE,
                pattern='(?:[^\\s#{}\\"`,(@][^\\s{},]*(?:\\{[^{}\\s]*\\}[^\\s{},]*)*|\\{\\$[^{}\\s]*\\}[^\\s{},]*)(?:,[ \\t]*(?:[^\\s#{}\\"`,(@][^\\s{},]*(?:\\{[^{}\\s]*\\}[^\\s{},]*)*|\\{\\$[^{}\\s]*\\}[^\\s{},]*))*,?(?!\\S)',
                block="directives",
            ),
        ),
        "directives": (
            Line(
                part=Part.KEYWORD,
                words=("import",),
                block="directives",
            ),
            Line(
                part=Part.NAMED_MATCHER,
                pattern="@[\\w-]+",
                block="matchers",
                names=("client_ip", "cookie", "expression", "header", "header_regexp", "host", "method", "not",
                     "path", "path_regexp", "protocol", "query", "remote_ip", "scheme"),
                named=Part.MATCHER,
            ),
            Line(
                part=Part.GROUP,
                words=("handle", "handle_errors", "handle_path", "route"),
                block="directives",
            ),
            Line(
                part=Part.DIRECTIVE,
                words=("abort", "app", "bind", "error", "files", "header", "log", "map", "method", "metrics",
                     "proxy", "python", "redir", "request_body", "request_header", "respond", "rewrite",
                     "root", "try_files", "uri", "vars"),
                block="options",
            ),
            Line(
                part=Part.OPTION,
                words=("age", "background", "balance", "browse", "budget", "canonical_uris", "close",
                     "connect_timeout", "connections", "default", "defer", "dotfiles", "factory", "format",
                     "forwarded", "header", "header_down", "header_up", "hide", "idle", "idle_timeout",
                     "index", "interface", "interval", "keepalive", "limit", "match", "max_body_size",
                     "max_connections", "max_header_count", "max_header_size", "max_size", "max_uri_size",
                     "method", "min_rate", "origins", "otlp", "output", "pass_thru", "policy",
                     "precompressed", "read_body_idle", "read_header", "response_header_timeout", "retry",
                     "rewrite", "slow", "startup_timeout", "status", "symlinks", "threads", "timeout", "tls",
                     "tls_client_auth", "tls_insecure_skip_verify", "tls_server_name", "tls_trust_pool", "to",
                     "token", "unresponsive", "users", "via", "waiting", "write_idle"),
                block="options",
            ),
        ),
        "options": (
            Line(
                part=Part.KEYWORD,
                words=("import",),
                block="directives",
            ),
            Line(
                part=Part.OPTION,
                words=("age", "background", "balance", "browse", "budget", "canonical_uris", "close",
                     "connect_timeout", "connections", "default", "defer", "dotfiles", "factory", "format",
                     "forwarded", "header", "header_down", "header_up", "hide", "idle", "idle_timeout",
                     "index", "interface", "interval", "keepalive", "limit", "match", "max_body_size",
                     "max_connections", "max_header_count", "max_header_size", "max_size", "max_uri_size",
                     "method", "min_rate", "origins", "otlp", "output", "pass_thru", "policy",
                     "precompressed", "read_body_idle", "read_header", "response_header_timeout", "retry",
                     "rewrite", "slow", "startup_timeout", "status", "symlinks", "threads", "timeout", "tls",
                     "tls_client_auth", "tls_insecure_skip_verify", "tls_server_name", "tls_trust_pool", "to",
                     "token", "unresponsive", "users", "via", "waiting", "write_idle"),
                block="options",
            ),
            Line(
                part=Part.FIELD,
                pattern='[^\\s#{}\\"`][^\\s{]*',
                block="options",
            ),
        ),
        "settings": (
            Line(
                part=Part.KEYWORD,
                words=("import",),
                block="directives",
            ),
            Line(
                part=Part.NAMED_MATCHER,
                pattern="@[\\w-]+",
                block="matchers",
                names=("client_ip", "cookie", "expression", "header", "header_regexp", "host", "method", "not",
                     "path", "path_regexp", "protocol", "query", "remote_ip", "scheme"),
                named=Part.MATCHER,
            ),
            Line(
                part=Part.SETTING,
                words=("admin", "client_ip_headers", "grace_period", "limits", "metrics", "python", "storage",
                     "timeouts", "trusted_proxies", "workers"),
                block="options",
            ),
        ),
        "matchers": (
            Line(
                part=Part.KEYWORD,
                words=("import",),
                block="directives",
            ),
            Line(
                part=Part.MATCHER,
                words=("client_ip", "cookie", "expression", "header", "header_regexp", "host", "method", "not",
                     "path", "path_regexp", "protocol", "query", "remote_ip", "scheme"),
                block="matchers",
                names=("client_ip", "cookie", "expression", "header", "header_regexp", "host", "method", "not",
                     "path", "path_regexp", "protocol", "query", "remote_ip", "scheme"),
                named=Part.MATCHER,
            ),
        ),
        "test": (
            Line(
                part=Part.TEST_WORD,
                words=("upstream",),
                block="stand-in",
            ),
            Line(
                part=Part.TEST_WORD,
                words=("expect",),
                names=("status", "header", "body", "abort", "upstream", "route", "cache", "method", "uri",
                     "none"),
                named=Part.SUBJECT,
            ),
            Line(
                part=Part.TEST_WORD,
                words=("request", "header", "body", "repeat", "from", "at", "after"),
            ),
        ),
        "stand-in": (
            Line(
                part=Part.TEST_WORD,
                words=("status", "header", "body", "delay", "fail"),
            ),
        ),
    },
    constants=("asgi", "br", "discard", "file", "first", "first_exist", "first_exist_fallback", "grpc", "gzip", "http",
     "http/1.0", "http/1.0+", "http/1.1", "http/1.1+", "http/2", "http/2+", "http/3", "http/3+", "https",
     "inside", "json", "largest_size", "memory", "most_recently_modified", "off", "on", "path_regexp",
     "private_ranges", "query", "random", "replace", "round_robin", "smallest_size", "stderr", "stdout",
     "strip_prefix", "strip_suffix", "wrap", "wsgi", "zstd"),
)
