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
                words=("handle", "handle_errors", "handle_path", "intercept", "route"),
                block="directives",
            ),
            Line(
                part=Part.DIRECTIVE,
                words=("abort", "app", "bind", "encode", "error", "files", "header", "log", "log_append",
                     "log_skip", "map", "method", "metrics", "proxy", "python", "redir", "replace",
                     "replace_status", "request_body", "request_header", "respond", "rewrite", "root",
                     "templates", "trace", "try_files", "uri", "vars"),
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
                words=("handle", "handle_errors", "handle_path", "intercept", "route"),
                block="directives",
            ),
            Line(
                part=Part.DIRECTIVE,
                words=("abort", "app", "bind", "encode", "error", "files", "header", "log", "log_append",
                     "log_skip", "map", "method", "metrics", "proxy", "python", "redir", "replace",
                     "replace_status", "request_body", "request_header", "respond", "rewrite", "root",
                     "templates", "trace", "try_files", "uri", "vars"),
                block="options",
            ),
            Line(
                part=Part.OPTION,
                words=("add", "age", "app_name", "at", "attribute", "background", "balance", "browse", "budget",
                     "ca", "canonical_uris", "certificate", "close", "compress", "connect_timeout",
                     "connections", "cookie", "default", "defer", "dotfiles", "drop", "endpoint", "errors",
                     "every", "facility", "factory", "fields", "format", "forwarded", "hash", "hash_key",
                     "header", "header_down", "header_up", "hide", "idle", "idle_timeout", "index",
                     "interface", "interval", "ipv4", "ipv6", "keep", "keep_for", "keepalive", "key", "level",
                     "limit", "mask", "match", "max_body_size", "max_connections", "max_header_count",
                     "max_header_size", "max_size", "max_uri_size", "method", "mime", "min_duration",
                     "min_rate", "minimum_length", "mode", "once", "origins", "otlp", "output", "parent",
                     "pass_thru", "password", "policy", "precompressed", "prefer", "prefix", "propagate",
                     "protocol", "query", "read_body_idle", "read_header", "rename",
                     "response_header_timeout", "retry", "rewrite", "root", "rotate", "sample",
                     "sentinel_password", "server_name", "service", "service_name", "set", "size", "slow",
                     "span", "startup_timeout", "status", "structured_data", "symlinks", "threads", "timeout",
                     "tls", "tls_client_auth", "tls_insecure_skip_verify", "tls_server_name",
                     "tls_trust_pool", "to", "token", "trust_pool", "types", "unresponsive", "user", "users",
                     "via", "waiting", "write_idle"),
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
                words=("add", "age", "app_name", "at", "attribute", "background", "balance", "browse", "budget",
                     "ca", "canonical_uris", "certificate", "close", "compress", "connect_timeout",
                     "connections", "cookie", "default", "defer", "dotfiles", "drop", "endpoint", "errors",
                     "every", "facility", "factory", "fields", "format", "forwarded", "hash", "hash_key",
                     "header", "header_down", "header_up", "hide", "idle", "idle_timeout", "index",
                     "interface", "interval", "ipv4", "ipv6", "keep", "keep_for", "keepalive", "key", "level",
                     "limit", "mask", "match", "max_body_size", "max_connections", "max_header_count",
                     "max_header_size", "max_size", "max_uri_size", "method", "mime", "min_duration",
                     "min_rate", "minimum_length", "mode", "once", "origins", "otlp", "output", "parent",
                     "pass_thru", "password", "policy", "precompressed", "prefer", "prefix", "propagate",
                     "protocol", "query", "read_body_idle", "read_header", "rename",
                     "response_header_timeout", "retry", "rewrite", "root", "rotate", "sample",
                     "sentinel_password", "server_name", "service", "service_name", "set", "size", "slow",
                     "span", "startup_timeout", "status", "structured_data", "symlinks", "threads", "timeout",
                     "tls", "tls_client_auth", "tls_insecure_skip_verify", "tls_server_name",
                     "tls_trust_pool", "to", "token", "trust_pool", "types", "unresponsive", "user", "users",
                     "via", "waiting", "write_idle"),
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
                words=("admin", "client_ip_headers", "grace_period", "limits", "log", "metrics", "python",
                     "storage", "timeouts", "tracing", "trusted_proxies", "workers"),
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
    constants=("DEBUG", "ERROR", "INFO", "WARNING", "asgi", "auth", "authpriv", "b3", "b3multi", "br", "client",
     "clock", "combined", "common", "console", "cron", "daemon", "discard", "disk", "drop", "file", "first",
     "first_exist", "first_exist_fallback", "ftp", "grpc", "gzip", "hash", "http", "http/1.0", "http/1.0+",
     "http/1.1", "http/1.1+", "http/2", "http/2+", "http/3", "http/3+", "https", "inside", "jaeger",
     "journald", "json", "kern", "largest_size", "local0", "local1", "local2", "local3", "local4", "local5",
     "local6", "local7", "logfmt", "lpr", "mail", "memory", "most_recently_modified", "news", "ntp", "off",
     "on", "otlp", "path_regexp", "plain", "private_ranges", "query", "random", "redis", "replace",
     "round_robin", "security", "server", "smallest_size", "stderr", "stdout", "strip_prefix", "strip_suffix",
     "syslog", "template", "user", "uucp", "w3c", "wrap", "wsgi", "zstd"),
)
