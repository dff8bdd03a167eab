"""What nginx's directives that have no rule of their own come to: tables of names and reasons."""

from __future__ import annotations

from edgescript.convert.nginx.lines import Line


def names(text: str) -> list[str]:
    """The names in a text, as tables hold them."""
    return text.split()


_PROCESS = "how nginx's processes work; this server needs no such setting"
_BUFFERS = "bodies are passed on as they come; there are no buffers to size"
_OWN_TYPES = "the types of files are known to this server"
_KERNEL = "this server chooses that by itself"
_LOGS = "errors go to standard error"

#: Directives that say nothing this server needs to be told. The reason stands in the report.
NOT_NEEDED: dict[str, str] = {
    **dict.fromkeys(
        names(
            """user worker_connections worker_rlimit_nofile worker_cpu_affinity
            worker_priority pid daemon master_process events use multi_accept accept_mutex load_module env
            thread_pool lock_file pcre_jit timer_resolution worker_shutdown_timeout worker_aio_requests
            debug_connection ssl_engine"""
        ),
        _PROCESS,
    ),
    **dict.fromkeys(
        names(
            """sendfile sendfile_max_chunk tcp_nopush tcp_nodelay aio directio directio_alignment
            output_buffers postpone_output read_ahead open_file_cache open_file_cache_valid
            open_file_cache_min_uses open_file_cache_errors reset_timedout_connection lingering_close
            lingering_time lingering_timeout keepalive_disable keepalive_requests
            server_names_hash_bucket_size server_names_hash_max_size types_hash_max_size
            types_hash_bucket_size variables_hash_max_size variables_hash_bucket_size map_hash_max_size
            map_hash_bucket_size proxy_headers_hash_max_size proxy_headers_hash_bucket_size
            connection_pool_size request_pool_size client_body_temp_path client_body_in_file_only
            client_body_in_single_buffer client_body_buffer_size client_header_buffer_size log_not_found
            log_subrequest merge_slashes etag msie_padding msie_refresh underscores_in_headers
            ignore_invalid_headers chunked_transfer_encoding recursive_error_pages resolver
            resolver_timeout uninitialized_variable_warn rewrite_log server_name_in_redirect
            port_in_redirect absolute_redirect max_ranges open_log_file_cache large_client_header_buffers
            if_modified_since disable_symlinks subrequest_output_buffer_size"""
        ),
        _KERNEL,
    ),
    **dict.fromkeys(
        names(
            """proxy_buffering proxy_buffers proxy_buffer_size proxy_busy_buffers_size proxy_temp_path
            proxy_temp_file_write_size proxy_max_temp_file_size proxy_request_buffering proxy_send_lowat"""
        ),
        _BUFFERS,
    ),
    **dict.fromkeys(["types", "include", "default_type"], _OWN_TYPES),
    "error_log": _LOGS,
    "server_tokens": "this server does not tell its version",
    "proxy_http_version": "servers are spoken to in HTTP/1.1, with kept connections",
    "proxy_ssl_server_name": "the name is always sent",
    "proxy_ssl_session_reuse": "sessions are always reused where they can be",
    "proxy_ignore_client_abort": "an exchange ends with its client",
    "proxy_pass_request_headers": "the headers are always passed on",
    "proxy_pass_request_body": "the body is always passed on",
    "proxy_pass_header": "all fields of the response are passed on",
    "zone": "each worker keeps count of the servers behind it",
    "real_ip_recursive": "addresses are always looked up past every trusted proxy",
    "log_format": "it stands where lines are written by it",
    "break": "",
    "charset": "text is marked as UTF-8",
    "override_charset": "text is marked as UTF-8",
    "source_charset": "text is marked as UTF-8",
    "charset_types": "text is marked as UTF-8",
}

#: What some of them say that this server cannot do: the reason, by directive and what its argument begins with.
_UNUSUAL: dict[tuple[str, str], str] = {
    ("merge_slashes", "off"): "empty segments of a path are always taken away",
    ("etag", "off"): "files always have an entity tag",
    ("disable_symlinks", "on"): "write `symlinks off` in the block of `files`",
    ("proxy_pass_request_headers", "off"): "the headers are always passed on",
    ("proxy_pass_request_body", "off"): "the body is always passed on",
    ("underscores_in_headers", "on"): "this server chooses that by itself",
}
#: Directives that hold files' types, which count where they say something about one location.
_TYPES = ("types", "default_type")


def not_needed(line: Line) -> str | None:
    """Why this server needs no such line; None where that is not so."""
    if line.name not in NOT_NEEDED or (line.name, line.value) in _UNUSUAL:
        return None
    if line.name in _TYPES and line.parent is not None and line.parent.name in ("location", "if"):
        return None
    if line.name.endswith("charset") and line.value.lower() not in ("utf-8", "off"):
        return None
    return NOT_NEEDED[line.name]


_GZIP = ("encode", "compression of responses")
_CACHE = ("cache", "a cache of responses")
_TLS = ("tls", "HTTPS to clients")
_LIMIT = ("ratelimit", "limits of rates and connections")
_AUTH = ("auth", "authentication")
_FASTCGI = ("fastcgi", "FastCGI")
_GRPC = ("grpc", "gRPC over HTTP/2 to servers behind it")

#: Prefixes of directives for which this program will have a directive of its own: its name, and what it is about.
NOT_YET: dict[str, tuple[str, str]] = {
    "gzip": _GZIP,
    "brotli": _GZIP,
    "zstd": _GZIP,
    "proxy_cache": _CACHE,
    "proxy_no_cache": _CACHE,
    "proxy_store": _CACHE,
    "fastcgi_cache": _CACHE,
    "uwsgi_cache": _CACHE,
    "slice": _CACHE,
    "ssl_": _TLS,
    "ssl": _TLS,
    "http2": _TLS,
    "http3": _TLS,
    "quic": _TLS,
    "limit_req": _LIMIT,
    "limit_conn": _LIMIT,
    "limit_rate": _LIMIT,
    "auth_basic": _AUTH,
    "auth_request": _AUTH,
    "auth_jwt": _AUTH,
    "auth_delay": _AUTH,
    "satisfy": _AUTH,
    "fastcgi_": _FASTCGI,
    "uwsgi_": ("uwsgi", "the uwsgi protocol"),
    "scgi_": ("scgi", "the SCGI protocol"),
    "grpc_": _GRPC,
    "sub_filter": ("replace", "changes of response bodies"),
    "health_check": ("health", "health checks"),
    "mirror": ("mirror", "copies of requests to another server"),
    "stream": ("tcp", "sites of TCP and UDP"),
    "split_clients": ("split", "shares of clients"),
}

#: Directives that decide who may do what: where one is not converted, requests are refused rather than let in.
GUARDS = frozenset(
    names(
        """auth_basic auth_request auth_jwt auth_pam auth_ldap auth_digest auth_gss secure_link_secret secure_link_md5
            ssl_verify_client access_by_lua access_by_lua_block access_by_lua_file js_access"""
    )
)
#: With these, they let everybody in.
OPEN = ("off", "optional", "optional_no_ca")

#: Directives that answer, and that this program has nothing for: their locations answer 501.
ANSWERS = frozenset(
    names(
        """fastcgi_pass uwsgi_pass scgi_pass grpc_pass memcached_pass stub_status empty_gif flv mp4 perl
            dav_methods content_by_lua content_by_lua_block content_by_lua_file js_content random_index api
            status f4f hls passenger_enabled ssi autoindex_format xslt_stylesheet secure_link image_filter"""
    )
)

_REASONS: dict[str, str] = {
    "types": "types of files are known to this server: another one is set by `header Content-Type`",
    "default_type": "types of files are known to this server: another one is set by `header Content-Type`",
    "charset": "text is marked as UTF-8",
    "source_charset": "text is not converted",
    "secure_link_secret": "there is no check of signed links: requests are refused",
    "secure_link_md5": "there is no check of signed links: requests are refused",
    "if": "this condition has no matcher",
    "valid_referers": "write it with a matcher: `@name header Referer https://example.com/*`",
    "add_before_body": "bodies are not changed",
    "add_after_body": "bodies are not changed",
    "ssi": "there are no server-side includes",
    "proxy_intercept_errors": "write `intercept 404 5xx { … }` above the `proxy`, with what the error pages are",
    "proxy_bind": "connections to servers leave from whichever address the system chooses",
    "mail": "this server serves HTTP only",
    "proxy_set_body": "bodies are passed on as they come",
    "proxy_cookie_domain": "write it with `header_down Set-Cookie FIND REPLACEMENT` in the block of `proxy`",
    "proxy_cookie_path": "write it with `header_down Set-Cookie FIND REPLACEMENT` in the block of `proxy`",
    "userid": "this server sets no cookies of its own",
    "gunzip": "bodies are not decompressed for clients that take no compression",
    "stub_status": "its figures are among many more in another format: write `metrics` for Prometheus to read",
    "add_trailer": "there is no directive for trailers",
}


def not_yet(name: str) -> tuple[str, str] | None:
    """The directive that will do what the named one of nginx does, and what it is about."""
    candidates = [prefix for prefix in NOT_YET if name.startswith(prefix)]
    return NOT_YET[max(candidates, key=len)] if candidates else None


def reason(line: Line) -> str:
    """Why a directive is not converted, and what to do."""
    if (line.name, line.value) in _UNUSUAL:
        return _UNUSUAL[line.name, line.value]
    if "_by_lua" in line.name or line.name.startswith(("lua_", "perl", "js_")):
        return "scripts inside the configuration are not converted"
    return _REASONS.get(line.name, "this directive has no counterpart here")
