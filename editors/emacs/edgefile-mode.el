;;; edgefile-mode.el --- Edit Edgefiles of the EdgeScript web server  -*- lexical-binding: t -*-

;; Package-Requires: ((emacs "27.1"))
;; Keywords: languages

;;; Commentary:

;; Put this folder on `load-path' and write (require 'edgefile-mode) into your init file.
;; `M-x compile' finds the problems that "edge validate" writes; Eglot starts "edge lsp".

;;; Code:

(require 'edgefile-syntax)

(defgroup edgefile nil
  "Edit Edgefiles."
  :group 'languages)

(defcustom edgefile-program "edge"
  "The program that checks, formats and serves Edgefiles."
  :type 'string)

(defcustom edgefile-indent-offset 4
  "Columns that a block is indented by."
  :type 'integer
  :safe #'integerp)

(defun edgefile--face (part)
  "The face of PART."
  (intern (format "edgefile-%s" part)))

(pcase-dolist (`(,part . ,like) edgefile-syntax-faces)
  (custom-declare-face (edgefile--face part) `((t :inherit ,like))
                       (format "The part \"%s\" of an Edgefile." part)))

;;; Texts and comments

(defvar edgefile-mode-syntax-table
  (let ((table (make-syntax-table)))
    (dolist (character (string-to-list "\"`#\\'$%&*+-./:;<=>?@_|~!^,"))
      (modify-syntax-entry character "_" table))
    (modify-syntax-entry ?\n ">" table)
    (modify-syntax-entry ?{ "(}" table)
    (modify-syntax-entry ?} "){" table)
    table)
  "The syntax of single characters.
Quotes and comments mean something only where a word begins, so it is
`edgefile--propertize' that marks them.")

(defconst edgefile--text "\\(?:^\\|[ \t]\\)\\(?:\\(?1:\"\\)\\|\\(?2:`\\)\\|\\(?3:#\\)\\|\\(?4:<<\\([A-Za-z_][A-Za-z0-9_-]*\\)[ \t]*$\\)\\)")

(defun edgefile--propertize (start end)
  "Mark where texts and comments begin and end between START and END."
  (goto-char start)
  (let ((inside (nth 8 (syntax-ppss start))))
    (when inside (goto-char inside)))
  (forward-line 0)
  (while (re-search-forward edgefile--text end t)
    (cond
     ((match-beginning 1) (edgefile--fence (match-beginning 1) "\\(?:[^\"\\\\\n]\\|\\\\.\\)*\\(\"\\|$\\)"))
     ((match-beginning 2) (edgefile--fence (match-beginning 2) "[^`]*\\(`\\)"))
     ((match-beginning 3) (edgefile--mark (match-beginning 3) "<") (end-of-line))
     (t (edgefile--fence (match-beginning 4)
                         (format "\\(?:.*\n\\)*?[ \t]*%s\\(?:[ \t]\\|$\\)" (regexp-quote (match-string 5))))))))

(defun edgefile--fence (begin rest)
  "Mark the text that begins at BEGIN and goes on as REST says.
Without an end, it goes on to the end of the buffer."
  (edgefile--mark begin "|")
  (goto-char (1+ begin))
  (if (not (looking-at rest))
      (goto-char (point-max))
    (goto-char (or (match-end 1) (progn (goto-char (match-end 0)) (skip-chars-backward " \t" begin) (point))))
    (edgefile--mark (if (eq (char-before) ?\") (1- (point)) (if (eolp) (min (point) (1- (point-max))) (1- (point)))) "|")))

(defun edgefile--mark (position syntax)
  "Give the character at POSITION this SYNTAX."
  (put-text-property position (1+ position) 'syntax-table (string-to-syntax syntax)))

(defun edgefile--syntactic-face (state)
  "The face of the text or comment that STATE is in."
  (edgefile--face
   (if (nth 4 state) 'comment
     (pcase (char-after (nth 8 state)) (?\" 'quoted) (?` 'raw) (_ 'heredoc)))))

;;; What a line is

(defun edgefile--line-start ()
  "Go to where the line begins that the one at point may continue."
  (forward-line 0)
  (while (and (not (bobp)) (save-excursion (forward-line -1) (looking-at ".*\\\\[ \t]*$")))
    (forward-line -1)))

(defun edgefile--blocks (position)
  "The places of the braces of all blocks around POSITION, outermost first."
  (seq-filter (lambda (brace) (save-excursion (goto-char brace) (looking-at "{[ \t]*\\(?:#.*\\)?$")))
              (nth 9 (edgefile--state position))))

(defun edgefile--context (position)
  "The context that a line at POSITION stands in."
  (let ((context 'file))
    (dolist (brace (edgefile--blocks position) context)
      (setq context (or (nth 2 (edgefile--entry brace context)) 'directives)))))

(defun edgefile--entry (position context)
  "What the syntax says in CONTEXT about the line at POSITION.
The match is the line's first word."
  (save-excursion
    (goto-char position)
    (edgefile--line-start)
    (skip-chars-forward " \t")
    (seq-find (lambda (line) (looking-at (concat "\\(" (car line) "\\)\\(?:[ \t\n]\\|\\'\\)")))
              (alist-get context edgefile-syntax-contexts))))

(defun edgefile--code-p (position)
  "Whether POSITION is neither in a text nor in a comment."
  (not (nth 8 (edgefile--state position))))

(defun edgefile--state (position)
  "The state of the parser at POSITION; neither point nor the last match change."
  (save-excursion (save-match-data (syntax-ppss position))))

;;; Colours

(defvar edgefile--found nil "The face of what was found last.")

(defun edgefile--first-word (limit)
  "Find the first word of a line before LIMIT that the syntax knows."
  (let (found)
    (while (and (not found) (re-search-forward "^[ \t]*[^ \t\n]" limit t))
      (let ((start (match-beginning 0)) (word (1- (point))))
        (when (and (edgefile--code-p word) (save-excursion (goto-char start) (edgefile--line-start) (= (point) start)))
          (let ((entry (edgefile--entry word (edgefile--context start))))
            (when entry
              (setq found t edgefile--found (edgefile--face (nth 1 entry)))
              (goto-char (match-end 1)))))))
    found))

(defun edgefile--named (limit)
  "Find an argument before LIMIT that is a name on lines such as its own."
  (let (found)
    (while (and (not found) (re-search-forward "[ \t]\\([a-z_]+\\)\\(?:[ \t\n]\\|\\'\\)" limit t))
      (goto-char (match-end 1))
      (let* ((data (match-data)) (word (match-string 1)) (start (match-beginning 1))
             (entry (and (edgefile--code-p start)
                         (let ((line (save-excursion (edgefile--line-start) (point))))
                           (edgefile--entry line (edgefile--context line))))))
        (when (and entry (member word (nth 3 entry)) (> start (match-beginning 1)))
          (setq found t edgefile--found (edgefile--face (nth 4 entry))))
        (set-match-data data)))
    found))

(defun edgefile--word (pattern)
  "A matcher of whole arguments that fit PATTERN."
  (let ((whole (concat "\\(?:^\\|[ \t]\\)\\(" pattern "\\)\\(?:[ \t\n]\\|\\'\\)")))
    (lambda (limit)
      (let (found)
        (while (and (not found) (re-search-forward whole limit t))
          (goto-char (match-end 1))
          (setq found (edgefile--code-p (match-beginning 1))))
        found))))

(defun edgefile--inner (pattern)
  "A matcher of what fits PATTERN anywhere but in comments and addresses of sites."
  (let ((whole (concat "\\(?:^\\|[^\\\\]\\)\\(" pattern "\\)")))
    (lambda (limit)
      (let (found)
        (while (and (not found) (re-search-forward whole limit t))
          (goto-char (match-end 1))
          (setq found (not (or (nth 4 (edgefile--state (match-beginning 1)))
                               (eq (get-text-property (match-beginning 1) 'face) 'edgefile-site)))))
        found))))

(defun edgefile--escape (limit)
  "Find an escape in a quoted text before LIMIT."
  (let (found)
    (while (and (not found) (re-search-forward "\\\\[\"\\\\nt{}]" limit t))
      (let ((begin (nth 8 (edgefile--state (match-beginning 0)))))
        (setq found (and begin (eq (char-after begin) ?\")))))
    found))

(defconst edgefile--keywords
  `((edgefile--first-word 1 edgefile--found)
    (edgefile--named 1 edgefile--found)
    ,@(mapcar (pcase-lambda (`(,pattern . ,part)) `(,(edgefile--word pattern) 1 ',(edgefile--face part)))
              edgefile-syntax-words)
    (,(edgefile--word "{") 1 'edgefile-brace)
    ("^[ \t]*\\(}\\)\\(?:[ \t\n]\\|\\'\\)" 1 'edgefile-brace)
    ("\\(\\\\\\)[ \t]*$" 1 'edgefile-continuation)
    (edgefile--escape 0 'edgefile-escape t)
    ,@(mapcar (pcase-lambda (`(,pattern . ,part)) `(,(edgefile--inner pattern) 1 ',(edgefile--face part) t))
              edgefile-syntax-inner)))

;;; Indentation

(defun edgefile-indent-line ()
  "Indent the line by the blocks that it stands in."
  (interactive)
  (let ((start (line-beginning-position)))
    (unless (nth 3 (edgefile--state start))
      (let* ((depth (length (edgefile--blocks start)))
             (closes (save-excursion (back-to-indentation) (looking-at "}")))
             (continues (save-excursion (edgefile--line-start) (< (point) start))))
        (save-excursion
          (indent-line-to (* edgefile-indent-offset (max 0 (+ depth (if closes -1 0) (if continues 1 0))))))
        (when (< (current-column) (current-indentation)) (back-to-indentation))))))

;;; The mode

;;;###autoload
(define-derived-mode edgefile-mode prog-mode "Edgefile"
  "Edit an Edgefile."
  (setq-local comment-start "# "
              comment-start-skip "#+[ \t]*"
              indent-tabs-mode nil
              indent-line-function #'edgefile-indent-line
              electric-indent-chars (cons ?} electric-indent-chars)
              parse-sexp-lookup-properties t
              syntax-propertize-function #'edgefile--propertize
              compile-command (concat edgefile-program " validate "
                                      (and buffer-file-name (shell-quote-argument buffer-file-name)))
              font-lock-defaults '(edgefile--keywords nil nil nil
                                   (font-lock-syntactic-face-function . edgefile--syntactic-face))))

;;;###autoload
(add-to-list 'auto-mode-alist '("\\(?:/Edgefile\\|\\.Edgefile\\|\\.edge\\)\\'" . edgefile-mode))

(with-eval-after-load 'compile
  (defvar compilation-error-regexp-alist)
  (defvar compilation-error-regexp-alist-alist)
  (add-to-list 'compilation-error-regexp-alist-alist '(edgefile "^ *--> \\(.*\\):\\([0-9]+\\):\\([0-9]+\\)$" 1 2 3))
  (add-to-list 'compilation-error-regexp-alist 'edgefile))

(with-eval-after-load 'eglot
  (defvar eglot-server-programs)
  (add-to-list 'eglot-server-programs `(edgefile-mode . (,edgefile-program "lsp"))))

(provide 'edgefile-mode)
;;; edgefile-mode.el ends here
