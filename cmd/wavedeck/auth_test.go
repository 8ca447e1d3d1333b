package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"wavedeck/cmd/internal/browsertest"
	"wavedeck/store/storetest"
	"wavedeck/store/tape"
)

const testToken = "correct-horse-battery-staple"

// status asks for a path with a token, or without.
func (p *program) status(t *testing.T, client *http.Client, path, token string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatalf("%v; stderr: %s", err, p.stderr)
	}
	response.Body.Close()
	return response.StatusCode
}

func TestToken(t *testing.T) {
	dir := storetest.Project(t)
	plain := http.DefaultClient

	t.Run("beyond loopback one is made, told once, and asked for", func(t *testing.T) {
		p := start(t, "--project", dir, "--port", "0", "--bind", "0.0.0.0")
		p.url = strings.Replace(p.url, "[::]", "127.0.0.1", 1)
		made := regexp.MustCompile(`(?m)^wavedeck: sign in with the token ([A-Za-z0-9_-]{43})$`).FindAllStringSubmatch(p.stderr.String(), -1)
		if len(made) != 1 {
			t.Fatalf("stderr: %s", p.stderr)
		}
		for _, path := range []string{"runs", "api/runs", "healthz", "events"} {
			if status := p.status(t, plain, path, ""); status != http.StatusUnauthorized {
				t.Errorf("%s without: status %d", path, status)
			}
		}
		if status := p.status(t, plain, "api/runs", made[0][1]); status != http.StatusOK {
			t.Errorf("with: status %d", status)
		}
		if !strings.Contains(p.stderr.String(), "without TLS") {
			t.Errorf("it does not say that nothing is encrypted: %s", p.stderr)
		}
	})
	t.Run("at loopback one is asked for when it was given, by any of its names", func(t *testing.T) {
		for _, from := range []string{"--token", "WAVEDECK_TOKEN", "WAVE_SERVE_TOKEN"} {
			t.Run(from, func(t *testing.T) {
				args := []string{"--project", dir, "--port", "0"}
				if from == "--token" {
					args = append(args, from, testToken)
				} else {
					t.Setenv(from, testToken)
				}
				p := start(t, args...)
				if status := p.status(t, plain, "runs", ""); status != http.StatusUnauthorized {
					t.Errorf("without: status %d", status)
				}
				if status := p.status(t, plain, "runs", testToken); status != http.StatusOK {
					t.Errorf("with: status %d", status)
				}
				if strings.Contains(p.stderr.String(), testToken) {
					t.Error("the log has the token")
				}
			})
		}
	})
}

// writeCertificate makes a pair of files for 127.0.0.1.
func writeCertificate(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := writeCertificate(t, dir, "first")
	t.Run("it is spoken, and nothing older than 1.2", func(t *testing.T) {
		p := start(t, "--project", storetest.Project(t), "--port", "0", "--tls-cert", cert, "--tls-key", key, "--token", testToken)
		if !strings.HasPrefix(p.url, "https://") {
			t.Fatalf("address %s", p.url)
		}
		transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
		t.Cleanup(transport.CloseIdleConnections)
		if status := p.status(t, &http.Client{Transport: transport}, "api/runs", testToken); status != http.StatusOK {
			t.Errorf("status %d", status)
		}
		old := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}}
		if _, err := (&http.Client{Transport: old}).Get(p.url + "api/runs"); err == nil {
			t.Error("TLS 1.1 is spoken")
		}
	})
	t.Run("a renewed certificate is used without a restart, a broken one is not", func(t *testing.T) {
		now := time.Now()
		var log buffer
		c := &certificate{cert: cert, key: key, log: slog.New(slog.NewTextHandler(&log, nil)), now: func() time.Time { return now }}
		if err := c.load(); err != nil {
			t.Fatal(err)
		}
		name := func() string {
			now = now.Add(2 * certificateCheck)
			pair, err := c.current(nil)
			if err != nil {
				t.Fatal(err)
			}
			return pair.Leaf.Subject.CommonName
		}
		if got := name(); got != "first" {
			t.Errorf("%s", got)
		}
		writeCertificate(t, dir, "the second one")
		if got := name(); got != "the second one" {
			t.Errorf("%s", got)
		}
		if err := os.WriteFile(cert, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := name(); got != "the second one" || !strings.Contains(log.String(), "the previous one stays") {
			t.Errorf("%s; log %s", got, log.String())
		}
		writeCertificate(t, dir, "the third")
		if got := name(); got != "the third" {
			t.Errorf("%s", got)
		}
	})
}

// signInSeesLiveSignsOut is the day of somebody whose console is bound to an
// address of the network, where a browser says less of where a form comes from.
func signInSeesLiveSignsOut(t *testing.T, browser *browsertest.Browser) {
	root, database := emptyProject(t)
	p := start(t, "--project", root, "--port", "0", "--bind", "0.0.0.0", "--token", testToken)
	address := regexp.MustCompile(`\[::\]|127\.0\.0\.1|0\.0\.0\.0`).ReplaceAllString(p.url, ownAddress(t))
	tab := browser.Tab(t)
	tab.Expect("401 (Unauthorized)", "Cross-Origin-Opener-Policy", "htmx:sse:error", "net::ERR_")
	tab.Open(address + "runs?state=running")
	tab.Until(`location.pathname === '/login' && document.querySelector('input[name=next]').value === '/runs?state=running'`)
	if browsertest.Eval[string](tab, `document.activeElement.name`) != "token" {
		t.Error("the token's field has not the focus")
	}
	fill := func(token string) {
		tab.Run(`document.querySelector('[name=token]').value = '` + token + `'; document.querySelector('[name=name]').value = 'Anna'; document.querySelector('form').requestSubmit()`)
	}
	fill("wrong")
	tab.Until(`document.querySelector('#problem')?.textContent.includes('Wrong token') && document.querySelector('[name=name]').value === 'Anna'`)
	fill(testToken)
	tab.Until(`location.pathname === '/runs' && location.search === '?state=running'`)
	tab.Until(live)
	if cookie := browsertest.Eval[string](tab, `document.cookie`); cookie != "" {
		t.Errorf("scripts can read %q", cookie)
	}
	var more recording
	more.add(0, tape.Insert, "pipeline_run", newRun("while-signed-in", time.Now()))
	play(t, database, more, 0, time.Time{}).end(t)
	tab.Until(`document.getElementById('run-while-signed-in')`)

	tab.Open(address + "audit")
	tab.Until(live)
	tab.Until(`document.querySelectorAll('#audit tbody tr').length === 2 && document.querySelector('#audit').textContent.includes('says Anna')`)
	tab.Run(`fetch('/logout', {method: 'POST', redirect: 'manual'})`) // as another tab would
	tab.Until(`location.pathname === '/login' && document.querySelector('input[name=next]').value === '/audit'`)

	fill(testToken)
	tab.Until(`location.pathname === '/audit' && document.querySelector('#audit')`)
	tab.Click(`.foot button`)
	tab.Until(`location.pathname === '/login'`)
	tab.Open(address + "runs")
	tab.Until(`location.pathname === '/login'`)
}

// ownAddress is one of this machine's that is not loopback.
func ownAddress(t *testing.T) string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.To4() != nil && !ip.IP.IsLoopback() {
			return ip.IP.String()
		}
	}
	t.Skip("this machine has no other address than loopback")
	return ""
}
