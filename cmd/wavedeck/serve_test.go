package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wavedeck/store/storetest"
)

// get answers with the status and what is at path, which has no slash in front.
func (p *program) get(t *testing.T, path string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("%v; stderr: %s", err, p.stderr)
	}
	defer response.Body.Close()
	var body strings.Builder
	if _, err := bufio.NewReader(response.Body).WriteTo(&body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, body.String()
}

// listen opens a stream and leaves it open until the test ends.
func (p *program) listen(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"events?list=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("%v; stderr: %s", err, p.stderr)
	}
	t.Cleanup(func() { response.Body.Close() })
	if response.StatusCode != http.StatusOK {
		t.Fatalf("the stream answers %s", response.Status)
	}
	if _, err := bufio.NewReader(response.Body).ReadByte(); err != nil {
		t.Fatalf("the stream sends nothing: %v", err)
	}
}

// eventually waits until the condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); !holds(); {
		select {
		case <-late:
			t.Fatalf("in vain waited until %s", what)
		case <-tick.C:
		}
	}
}

// states counts the derived states of the newest runs.
func (p *program) states(t *testing.T) map[string]int {
	t.Helper()
	_, body := p.get(t, "api/runs?limit=100")
	var page struct {
		Runs []struct {
			Status string `json:"status"`
			State  string `json:"state"`
		} `json:"runs"`
	}
	_ = json.Unmarshal([]byte(body), &page) // while there is no database the answer is another
	states := map[string]int{}
	for _, r := range page.Runs {
		states[r.Status]++
		states[r.State]++
	}
	return states
}

func TestServe(t *testing.T) {
	dir := storetest.Project(t)

	t.Run("a signal ends it within two seconds although a stream is open", func(t *testing.T) {
		for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			p := start(t, "--project", dir, "--port", "0")
			p.listen(t)
			signalled := time.Now()
			if err := p.cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			select {
			case <-p.done:
			case <-time.After(patience):
				t.Fatal("it does not end")
			}
			if took := time.Since(signalled); took > 2*time.Second {
				t.Errorf("it took %v", took)
			}
			if code := p.cmd.ProcessState.ExitCode(); code != exitOK {
				t.Errorf("%v: exit code %d; stderr: %s", signal, code, p.stderr)
			}
		}
	})

	t.Run("everything is below the base path", func(t *testing.T) {
		p := start(t, "--project", dir, "--port", "0", "--base-path", "deck/")
		if !strings.HasSuffix(p.url, "/deck/") {
			t.Fatalf("address %q", p.url)
		}
		eventually(t, "the runs are there", func() bool { return p.states(t)["completed"] > 0 })
		if status, body := p.get(t, "runs"); status != http.StatusOK || strings.Contains(body, `href="/runs`) {
			t.Errorf("the run list answers %d or links outside", status)
		}
		if status, _ := p.get(t, "../runs"); status != http.StatusNotFound {
			t.Errorf("outside answers %d", status)
		}
	})

	t.Run("a project without anything is served and picked up when it appears", func(t *testing.T) {
		empty := t.TempDir()
		p := start(t, "--project", empty, "--port", "0")
		if status, body := p.get(t, "runs"); status != http.StatusOK || !strings.Contains(body, filepath.Join(empty, ".agents", "state.db")) {
			t.Errorf("the run list answers %d and does not say where the database was looked for", status)
		}
		full := storetest.Project(t)
		for _, name := range []string{"wave.yaml", ".agents"} {
			if err := os.Rename(filepath.Join(full, name), filepath.Join(empty, name)); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, "the runs are there", func() bool { return p.states(t)["completed"] > 0 })
	})

	t.Run("another name in the Host header is not answered", func(t *testing.T) {
		p := start(t, "--project", dir, "--port", "0")
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"runs", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = "evil.example"
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("status %d", response.StatusCode)
		}
	})

	t.Run("requests are logged as JSON when asked", func(t *testing.T) {
		p := start(t, "--project", dir, "--port", "0", "--log-format", "json")
		p.get(t, "healthz")
		eventually(t, "the request is logged", func() bool {
			for line := range strings.Lines(p.stderr.String()) {
				var entry struct {
					Msg, Path string
					Status    int
				}
				if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "request" && entry.Path == "/healthz" && entry.Status == http.StatusOK {
					return true
				}
			}
			return false
		})
	})
}
