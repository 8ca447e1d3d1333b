package headline

import "regexp"

func first(score int) verdict { return verdict{score: score} }
func last(score int) verdict  { return verdict{score: score, last: true} }

func exactly(pattern string) *regexp.Regexp { return regexp.MustCompile(pattern) }

// rules are the kinds of lines; the first that fits decides. What only sums up or
// leads to a cause stands before what it would be taken for.
//
//nolint:gochecknoglobals // compiled once, read only
var rules = []rule{
	// A place in a document that breaks its schema. One that only says so of the
	// places within comes after them.
	{verdict: first(60), has: []string{"validation failed", "of' failed", "'not' failed"}, is: exactly(`^at '[^']*': (?:validation failed|'(?:allOf|anyOf|oneOf|not)' failed)`)},
	{verdict: first(96), has: []string{"': "}, is: exactly(`^at '[^']*': `)},
	{verdict: first(91), begins: []string{"warning: data race"}, has: []string{"addresssanitizer", "threadsanitizer", "segmentation fault", "segmentation violation"}, is: exactly(`(?i)ERROR: \w+Sanitizer: |segmentation (?:fault|violation)`)},
	{verdict: first(88), has: []string{"cycle detected", "circuit breaker", "file conflicts detected", "visit limit", "max visits", "max_visits"}},

	// How it ended, and nothing else.
	{verdict: first(20), has: []string{"exit", "code"}, is: exactly(`(?i)^(?:error: )?(?:exit(?:ed)?(?: with)?(?: status| code)?|code)[: ]+-?\d+\.?$`)},
	{verdict: first(22), begins: []string{"signal: "}},
	{verdict: first(18), has: []string{"context canceled"}, is: exactly(`(?i)^(?:.*: )?context canceled$`)},
	{verdict: first(21), has: []string{"failed", "error", "aborted", "terminated"}, is: exactly(`(?i)^(?:the )?(?:command |build |run |step |test )?(?:failed|error|aborted|terminated)[.:!]?$`)},

	// What only leads there.
	{verdict: first(scoreSecret), has: []string{"-----begin ", "-----end "}},
	{verdict: first(scoreNoise), is: frame},
	{verdict: first(scoreNoise), begins: []string{
		"traceback (most", "node.js v", "node:internal", "node:assert", "throw ", "require stack", "hint:", "help:", "note:", "= note", "info:", "usage:", "command:", "details:", "failures:",
		"failed tests:", "-->", "for more information", "some errors have", "npm err! a complete log", "npm error a complete log", "npm error to see a list", "npm err! to see a list", "run '", "run with ",
		"stack backtrace", "stack trace", "error trace:", "[info]", "info ", "downloading", "downloaded", "compiling ", "collecting ", "fetching", "the above exception", "remote: please see", "for help,",
		"see help", "get more help", "[help ", "using default tag", "auto-merging", "=== run", "--- pass", "* what went wrong", "* try",
	}, has: []string{"%", "in function", "re-run", "short test summary", "cache miss"}, is: exactly(`(?i)^\d{1,3}%|\b\d{1,3}%(?: \[| \||\s*$)|: in function|\bre-run\b|^=+ short test summary|\bcache miss\b`)},
	{verdict: first(35), begins: []string{"warn", "[warn", "npm warn", "yarn warn", "(node:"}},

	// What sums up.
	{verdict: first(scoreRelayed), has: []string{"calledprocesserror", "error: command failed"}},
	{verdict: first(28), begins: []string{"build failure", "build failed", "failure: build failed"}, has: []string{"fail"}, is: exactly(`^(?:=+ )?FAIL(?:ED)?(?:\s+\S+(?:\s+[\d.]+s|\s+\(cached\)| \[build failed\]))?$`)},
	{verdict: first(30), begins: []string{"failed (", "tests run: ", "test suites:", "test files", "# fail", "# tests", "found "}, has: []string{"fail", "error", "problem"}, is: exactly(`(?i)^(?:=+ )?(?:[✖✕] )?(?:tests?\b.*\d|\d+ (?:failing|failed|errors?|problems?|tests? failed|tests? completed)\b)`)},
	{verdict: first(32), begins: []string{
		"npm err! code ", "npm error code ", "npm err! path ", "npm error path ", "npm err! command ", "npm error command ", "npm err! errno", "npm error errno", "npm err! failed at", "npm err! this is probably",
		"npm error workspace ", "npm error location ", "npm err! test failed",
	}, has: []string{
		"returned non-zero", "did not complete successfully", "could not compile", "aborting due to", "elifecycle", "lifecycle script", "test result: ", "failed to execute goal", "execution failed for task",
		"there were failing tests", "test failed, to rerun", "collect2: error: ld returned",
	}},
	{verdict: first(32), has: []string{"exit code", "exit status", "exited with", "exits with", "*** ["}, is: exactly(`(?i)exit(?:ed|s)?(?: with)?(?: non-zero)?(?: exit)?(?: status| code):? ?\d+\)?[."']?$|exited with (?:error )?code \d+|^make(?:\[\d+\])?: \*\*\* \[.*\] Error \d+`)},

	// What is wrong, and where.
	{verdict: first(94), begins: []string{"panic: ", "fatal error: "}, has: []string{"panicked at "}, is: exactly(`^thread '[^']*'.* panicked at `)},
	{verdict: last(93), begins: []string{"caused by:"}},
	{verdict: first(92), begins: []string{"cmake error at ", "error["}, has: []string{"undefined reference to"}},
	{verdict: first(92), has: []string{"error"}, is: exactly(`^[^\s:(][^:(]*[:(]\d+(?:[:,]\d+)?\)?(?::| -) (?:fatal )?error\b|^\d+:\d+\s+error\s|: error CS\d+: `)},
	{verdict: first(92), has: []string{".go:", ".java:[", "e: "}, is: exactly(`^(?:vet: )?[^\s:]+\.go:\d+:\d+: |^[^\s:]+\.java:\[\d+,\d+\] |^e: [^\s:]+\.kt`)},
	{verdict: first(90), begins: []string{"expect(", "failure/error: ", "failed asserting that", "not equal", "assert "}},
	{verdict: first(90), has: []string{"assertion", "but was", "error:", "_test.go:"}, is: exactly(`^Error:(?:\s{2,}|\t)\S|[Aa]ssertion .*failed|expected:? .* but was|_test\.go:\d+: .*(?i:\bwant|\bgot\b|expect|fail|error|unexpected|mismatch|\bnil\b|diff|exceeded|!=)`)},
	{verdict: first(89), has: []string{"error: ", "error [", "exception: ", "failure: ", "timeout: ", "interrupt: ", "exit: "}, is: exactly(`^(?:Uncaught |Unhandled |Exception in thread "[^"]*" )*(?:[A-Za-z_$][\w$.:/]*)?(?:Error|Exception|Failure|Timeout|Interrupt|Exit)(?: \[\w+\])?: \S`)},
	{verdict: first(88), has: []string{"expected ", ": failure"}, is: exactly(`^Expected .*:$|:\d+: Failure$`)},
	{verdict: first(86), has: []string{"_test.go:", "failed "}, is: exactly(`_test\.go:\d+: \S|^FAILED \S+::.* - `)},
	{verdict: last(84), has: []string{"error", "exception", "interrupt"}, is: exactly(`^(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Interrupt)(?: \[\w+\])?:?$`)},

	// What a program complains of, the plainest reasons first.
	{verdict: first(66), has: []string{"] "}, is: exactly(`^[EWF]\d{4} \d\d:\d\d:\d\d`)}, // klog repeats what is said plainly as well
	{verdict: first(79), has: []string{"conflict (", "! [rejected]", "! [remote rejected]", "missing required ", "eresolve", "missing script", "module not found"}},
	{verdict: first(78), has: []string{
		"no space left", "disk quota", "disk is full", "disk full", "permission denied", "access denied", "operation not permitted", "read-only file system", "command not found", "executable file not found",
		"no such file or directory", "out of memory", "oom-kill", "oomkilled", "cannot allocate memory", "memory limit", "too many open files", "address already in use", "connection refused", "connection reset", "was refused",
		"could not resolve host", "no such host", "getaddrinfo", "network is unreachable", "no route to host", "timed out", "deadline exceeded", "authentication failed", "unauthorized", "forbidden",
		"invalid api key", "invalid x-api-key", "credit balance", "exceeded your current quota", "rate limit", "rate_limit", "too many requests", "overloaded", "unbound variable", "syntax error", "could not find a version",
		"cannot connect", "unable to access", "imagepullbackoff", "error from server", "error response from daemon", "manifest unknown", "no rule to make target", "requires interactive terminal",
		"context length", "prompt is too long", "internal server error", "bad gateway", "service unavailable", "gateway time-out", "x509: ",
	}},
	{verdict: first(77), has: []string{"http", "status", "api error", "npm err"}, is: exactly(`(?i)\b(?:http(?:/[\d.]+)?|status(?: code)?|api error|npm (?:err!|error))[:= ]+(?:code )?(?:4\d\d|5\d\d)\b`)},
	{verdict: first(73), has: []string{
		": not found", "not found on path", "no module named", "cannot find", "no matching", "does not exist", "not installed", "pathspec", "unknown revision", "non-existent", "has been exhausted",
	}},
	{verdict: first(72), begins: []string{"error: ", "error ", "fatal: ", "fatal error", "npm err! ", "npm error ", "err! ", "e: "}, has: []string{": error: ", ": fatal: ", ": error "}},
	{verdict: first(68), has: []string{
		"cannot ", "can't ", "could not", "couldn't", "failed to", "unable to", "must ", "is required", "invalid", "not recognized", "unexpected", "refused", "denied", "missing", "mismatch",
		"aborted", "does not match", "did not", "error: ", "exceeded", "unsupported", "unknown ",
	}},
	{verdict: first(60), has: []string{"killed"}, is: exactly(`(?i)\bkilled\b`)},

	// Which test it was.
	{verdict: first(64), begins: []string{"--- fail: ", "✕ ", "● ", "not ok ", "fail: "}, has: []string{"... failed", ") ", "fail ", "failed "}, is: exactly(`^test \S+ \.\.\. FAILED|^\d+\) \S|^FAIL\s+\S+ > |^FAILED \S+::|^\S+ > .* FAILED`)},
	{verdict: first(55), has: []string{"failed", "failure", "failing"}},
}
