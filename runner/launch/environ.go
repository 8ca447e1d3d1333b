//go:build unix

package launch

import (
	"bytes"
	"io"
	"os"
	"strings"
)

// Environ is this process's environment without what a run has no business
// with: PATH, HOME, the locale, and what adapters find their accounts by.
func Environ() []string {
	var env []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if wanted(name) {
			env = append(env, entry)
		}
	}
	return env
}

func wanted(name string) bool {
	switch name {
	case "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "TMPDIR", "TZ", "LANG", "SSH_AUTH_SOCK",
		"AWS_PROFILE", "AWS_REGION", "GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy":
		return true
	}
	for _, prefix := range []string{"LC_", "XDG_", "ANTHROPIC_", "CLAUDE_", "OPENAI_", "CODEX_", "GEMINI_", "GOOGLE_", "OPENCODE_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// tailSize is how much of a process's last output an error quotes, in bytes.
const tailSize = 2 << 10

// tail is the end of what a process printed.
func tail(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > tailSize {
		if _, err := file.Seek(-tailSize, io.SeekEnd); err != nil {
			return ""
		}
	}
	text, err := io.ReadAll(io.LimitReader(file, tailSize))
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(bytes.ToValidUTF8(text, nil)))
}
