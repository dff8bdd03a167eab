;;; edgefile-syntax.el --- The words of Edgefiles  -*- lexical-binding: t -*-

;; Written by `make generate'; not to be changed by hand.

;;; Code:

(defconst edgefile-syntax-contexts
  '((file
     ("\\(?:test\\)" test test nil constant)
     ("([A-Za-z0-9_-]+)" snippet directives nil constant)
     ("{[ \t]*\\(?:#.*\\)?$" brace settings nil constant)
     ("\\(?:import\\)" keyword directives nil constant)
     ("@[A-Za-z0-9_-]+" named-matcher matchers ("client_ip" "cookie" "expression" "header" "header_regexp" "host" "method" "not" "path" "path_regexp" "protocol" "query" "remote_ip" "scheme") matcher)
     ("\\(?:handle_errors\\|handle_path\\|intercept\\|handle\\|route\\)" group directives nil constant)
     ("\\(?:replace_status\\|request_header\\|request_body\\|log_append\\|templates\\|try_files\\|log_skip\\|metrics\\|replace\\|respond\\|rewrite\\|encode\\|header\\|method\\|python\\|abort\\|error\\|files\\|proxy\\|redir\\|trace\\|bind\\|root\\|vars\\|app\\|log\\|map\\|uri\\)" directive options nil constant)
     ("\\(?:[^ \t\n#{}\"`,(@][^ \t\n{},]*\\(?:{[^{} \t\n]*}[^ \t\n{},]*\\)*\\|{\\$[^{} \t\n]*}[^ \t\n{},]*\\)\\(?:,[ \t]*\\(?:[^ \t\n#{}\"`,(@][^ \t\n{},]*\\(?:{[^{} \t\n]*}[^ \t\n{},]*\\)*\\|{\\$[^{} \t\n]*}[^ \t\n{},]*\\)\\)*,?" site directives nil constant))
    (directives
     ("\\(?:import\\)" keyword directives nil constant)
     ("@[A-Za-z0-9_-]+" named-matcher matchers ("client_ip" "cookie" "expression" "header" "header_regexp" "host" "method" "not" "path" "path_regexp" "protocol" "query" "remote_ip" "scheme") matcher)
     ("\\(?:handle_errors\\|handle_path\\|intercept\\|handle\\|route\\)" group directives nil constant)
     ("\\(?:replace_status\\|request_header\\|request_body\\|log_append\\|templates\\|try_files\\|log_skip\\|metrics\\|replace\\|respond\\|rewrite\\|encode\\|header\\|method\\|python\\|abort\\|error\\|files\\|proxy\\|redir\\|trace\\|bind\\|root\\|vars\\|app\\|log\\|map\\|uri\\)" directive options nil constant)
     ("\\(?:tls_insecure_skip_verify\\|response_header_timeout\\|sentinel_password\\|max_header_count\\|connect_timeout\\|max_connections\\|max_header_size\\|startup_timeout\\|structured_data\\|tls_client_auth\\|tls_server_name\\|canonical_uris\\|minimum_length\\|read_body_idle\\|tls_trust_pool\\|max_body_size\\|precompressed\\|idle_timeout\\|max_uri_size\\|min_duration\\|service_name\\|unresponsive\\|certificate\\|connections\\|header_down\\|read_header\\|server_name\\|background\\|trust_pool\\|write_idle\\|attribute\\|forwarded\\|header_up\\|interface\\|keepalive\\|pass_thru\\|propagate\\|app_name\\|compress\\|dotfiles\\|endpoint\\|facility\\|hash_key\\|interval\\|keep_for\\|max_size\\|min_rate\\|password\\|protocol\\|symlinks\\|balance\\|default\\|factory\\|origins\\|rewrite\\|service\\|threads\\|timeout\\|waiting\\|browse\\|budget\\|cookie\\|errors\\|fields\\|format\\|header\\|method\\|output\\|parent\\|policy\\|prefer\\|prefix\\|rename\\|rotate\\|sample\\|status\\|close\\|defer\\|every\\|index\\|level\\|limit\\|match\\|query\\|retry\\|token\\|types\\|users\\|drop\\|hash\\|hide\\|idle\\|ipv4\\|ipv6\\|keep\\|mask\\|mime\\|mode\\|once\\|otlp\\|root\\|size\\|slow\\|span\\|user\\|add\\|age\\|key\\|set\\|tls\\|via\\|at\\|ca\\|to\\)" option options nil constant))
    (options
     ("\\(?:import\\)" keyword directives nil constant)
     ("\\(?:tls_insecure_skip_verify\\|response_header_timeout\\|sentinel_password\\|max_header_count\\|connect_timeout\\|max_connections\\|max_header_size\\|startup_timeout\\|structured_data\\|tls_client_auth\\|tls_server_name\\|canonical_uris\\|minimum_length\\|read_body_idle\\|tls_trust_pool\\|max_body_size\\|precompressed\\|idle_timeout\\|max_uri_size\\|min_duration\\|service_name\\|unresponsive\\|certificate\\|connections\\|header_down\\|read_header\\|server_name\\|background\\|trust_pool\\|write_idle\\|attribute\\|forwarded\\|header_up\\|interface\\|keepalive\\|pass_thru\\|propagate\\|app_name\\|compress\\|dotfiles\\|endpoint\\|facility\\|hash_key\\|interval\\|keep_for\\|max_size\\|min_rate\\|password\\|protocol\\|symlinks\\|balance\\|default\\|factory\\|origins\\|rewrite\\|service\\|threads\\|timeout\\|waiting\\|browse\\|budget\\|cookie\\|errors\\|fields\\|format\\|header\\|method\\|output\\|parent\\|policy\\|prefer\\|prefix\\|rename\\|rotate\\|sample\\|status\\|close\\|defer\\|every\\|index\\|level\\|limit\\|match\\|query\\|retry\\|token\\|types\\|users\\|drop\\|hash\\|hide\\|idle\\|ipv4\\|ipv6\\|keep\\|mask\\|mime\\|mode\\|once\\|otlp\\|root\\|size\\|slow\\|span\\|user\\|add\\|age\\|key\\|set\\|tls\\|via\\|at\\|ca\\|to\\)" option options nil constant)
     ("[^ \t\n#{}\"`][^ \t\n{]*" field options nil constant))
    (settings
     ("\\(?:import\\)" keyword directives nil constant)
     ("@[A-Za-z0-9_-]+" named-matcher matchers ("client_ip" "cookie" "expression" "header" "header_regexp" "host" "method" "not" "path" "path_regexp" "protocol" "query" "remote_ip" "scheme") matcher)
     ("\\(?:client_ip_headers\\|trusted_proxies\\|grace_period\\|timeouts\\|metrics\\|storage\\|tracing\\|workers\\|limits\\|python\\|admin\\|log\\)" setting options nil constant))
    (matchers
     ("\\(?:import\\)" keyword directives nil constant)
     ("\\(?:header_regexp\\|path_regexp\\|expression\\|client_ip\\|remote_ip\\|protocol\\|cookie\\|header\\|method\\|scheme\\|query\\|host\\|path\\|not\\)" matcher matchers ("client_ip" "cookie" "expression" "header" "header_regexp" "host" "method" "not" "path" "path_regexp" "protocol" "query" "remote_ip" "scheme") matcher))
    (test
     ("\\(?:upstream\\)" test-word stand-in nil constant)
     ("\\(?:expect\\)" test-word directives ("status" "header" "body" "abort" "upstream" "route" "cache" "method" "uri" "none") subject)
     ("\\(?:request\\|header\\|repeat\\|after\\|body\\|from\\|at\\)" test-word directives nil constant))
    (stand-in
     ("\\(?:header\\|status\\|delay\\|body\\|fail\\)" test-word directives nil constant)))
  "Of each context its lines, each a list of five.
The pattern of the first word, its part, the context of the block, names that
may stand among the arguments, and the part that these are.")

(defconst edgefile-syntax-words
  '(("@[A-Za-z0-9_-]+" . named-matcher)
    ("\\(?:[+-]?[0-9]+\\(?:\\.[0-9]+\\)?%?\\|\\(?:[0-9]+\\(?:\\.[0-9]+\\)?\\(?:us\\|µs\\|ms\\|s\\|m\\|h\\|d\\)\\)+\\|[0-9]+\\(?:\\.[0-9]+\\)?\\(?:[KMGT]i?\\)?B\\|[0-9]+/[0-9.]*\\(?:us\\|µs\\|ms\\|s\\|m\\|h\\|d\\)\\|[1-5]xx\\)" . number)
    ("\\(?:most_recently_modified\\|first_exist_fallback\\|private_ranges\\|smallest_size\\|largest_size\\|strip_prefix\\|strip_suffix\\|first_exist\\|path_regexp\\|round_robin\\|http/1\\.0\\+\\|http/1\\.1\\+\\|authpriv\\|combined\\|http/1\\.0\\|http/1\\.1\\|journald\\|security\\|template\\|WARNING\\|b3multi\\|console\\|discard\\|http/2\\+\\|http/3\\+\\|replace\\|client\\|common\\|daemon\\|http/2\\|http/3\\|inside\\|jaeger\\|local0\\|local1\\|local2\\|local3\\|local4\\|local5\\|local6\\|local7\\|logfmt\\|memory\\|random\\|server\\|stderr\\|stdout\\|syslog\\|DEBUG\\|ERROR\\|clock\\|first\\|https\\|plain\\|query\\|redis\\|INFO\\|asgi\\|auth\\|cron\\|disk\\|drop\\|file\\|grpc\\|gzip\\|hash\\|http\\|json\\|kern\\|mail\\|news\\|otlp\\|user\\|uucp\\|wrap\\|wsgi\\|zstd\\|ftp\\|lpr\\|ntp\\|off\\|w3c\\|b3\\|br\\|on\\)" . constant))
  "Patterns of whole arguments and their parts; what comes first wins.")

(defconst edgefile-syntax-inner
  '(("{\\$[^{}: \t\n]+\\(?::\\(?:[^{}\n]\\|{[^{}\n]*}\\)*\\)?}" . environment)
    ("{\\(?:args\\(?:\\.[A-Za-z0-9_-]+\\|\\[[0-9:]+\\]\\)\\(?::\\(?:[^{}\n]\\|{[^{}\n]*}\\)*\\)?\\|[A-Za-z_][A-Za-z0-9_.-]*\\)}" . placeholder))
  "Patterns of what may stand within arguments, quoted or not, and their parts.")

(defconst edgefile-syntax-faces
  '((comment . font-lock-comment-face)
    (quoted . font-lock-string-face)
    (raw . font-lock-string-face)
    (heredoc . font-lock-string-face)
    (escape . font-lock-constant-face)
    (placeholder . font-lock-variable-name-face)
    (environment . font-lock-preprocessor-face)
    (site . font-lock-function-name-face)
    (snippet . font-lock-function-name-face)
    (test . font-lock-keyword-face)
    (named-matcher . font-lock-variable-name-face)
    (keyword . font-lock-preprocessor-face)
    (group . font-lock-keyword-face)
    (directive . font-lock-builtin-face)
    (option . font-lock-type-face)
    (field . font-lock-variable-name-face)
    (matcher . font-lock-function-name-face)
    (setting . font-lock-type-face)
    (test-word . font-lock-builtin-face)
    (subject . font-lock-type-face)
    (number . font-lock-constant-face)
    (constant . font-lock-constant-face)
    (brace . default)
    (continuation . font-lock-constant-face))
  "The face that each part looks like.")

(provide 'edgefile-syntax)
;;; edgefile-syntax.el ends here
