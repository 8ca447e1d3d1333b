package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"wavedeck/handlers/webhook"
	"wavedeck/store/manifest"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// projectFlags say where the project is.
type projectFlags struct {
	Project  string `default:"." placeholder:"DIR" group:"project" help:"The project folder, which holds wave.yaml and .agents or .wave. Default: the current folder."`
	DB       string `name:"db" placeholder:"FILE" group:"project" help:"The state database. Default: state.db in the state directory."`
	Manifest string `placeholder:"FILE" group:"project" help:"The manifest. Default: wave.yaml in the project folder."`
}

// open locates the project. What is missing is waited for, and so is a database
// that cannot be read; a manifest that cannot is an error now, while somebody looks.
func (f projectFlags) open() (*manifest.Source, error) {
	source, err := manifest.Open(manifest.Options{Dir: f.Project, DB: f.DB, Manifest: f.Manifest})
	if err != nil {
		return nil, err
	}
	if err := readable(source.Current().Project.Manifest); err != nil {
		return nil, err
	}
	return source, nil
}

// readable tries to open a file. It must never be the database: closing it would let
// go of SQLite's locks.
func readable(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("read %s: %w", path, errors.Unwrap(err))
	case !info.Mode().IsRegular(): // opening a pipe would wait for its writer
		return fmt.Errorf("read %s: not a file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, errors.Unwrap(err))
	}
	return file.Close()
}

// listenFlags say which address to listen on, who may sign in, and how to log.
type listenFlags struct {
	Bind        bindAddress `default:"127.0.0.1" placeholder:"ADDR" group:"listen" help:"The address to listen on. A token is required on any address but loopback."`
	Port        uint16      `default:"8080" group:"listen" help:"The port to listen on. 0 chooses a free one."`
	Host        []hostName  `placeholder:"NAME" group:"listen" help:"Another host name under which the console is reached, such as that of a proxy. Repeatable."`
	Token       token       `env:"WAVEDECK_TOKEN,WAVE_SERVE_TOKEN" placeholder:"TOKEN" group:"listen" help:"The token to sign in with. Set it in the environment: other users can read the command line. Default: none on loopback, otherwise generated and printed."`
	TLSCert     string      `name:"tls-cert" placeholder:"FILE" group:"listen" help:"The TLS certificate with its chain. Reloaded when it changes."`
	TLSKey      string      `name:"tls-key" placeholder:"FILE" group:"listen" help:"The private key of the certificate."`
	BasePath    basePath    `placeholder:"PATH" group:"listen" help:"The path prefix of every page, such as /deck, for a proxy that serves the console below it."`
	Connections uint16      `default:"128" placeholder:"N" group:"listen" help:"The number of connections that one client address may hold open. Trusted proxies are not limited. 0: no limit."`
	LogFormat   string      `enum:"text,json" default:"text" placeholder:"text|json" group:"listen" help:"The format of the log on stderr. Default: text."`

	embedFlags
}

// Validate says what contradicts itself.
func (f *listenFlags) Validate() error {
	if (f.TLSCert == "") != (f.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key must be set together")
	}
	return nil
}

// dataFlags say where the console keeps its own data, and whether it acts.
type dataFlags struct {
	Data         string        `placeholder:"DIR" group:"console" help:"The folder for the console data: audit log, saved views, search index. Default: a folder per project in $$XDG_STATE_HOME/wavedeck."`
	ReadOnly     bool          `group:"console" help:"Refuse every action and hide its button."`
	Search       string        `enum:"on,off" default:"on" placeholder:"on|off" group:"console" help:"Index the messages of events in the folder --data. Default: on. Takes 20 to 25 bytes per event."`
	SearchWithin time.Duration `default:"300ms" placeholder:"DURATION" group:"console" help:"The time limit of a search in a log or in all events. It returns what it found until then."`
	WebhookAllow []allowed     `placeholder:"CIDR|HOST" group:"console" help:"Networks and host names that webhooks may reach in addition to the public internet, such as 10.1.0.0/16 or hooks.internal. Repeatable."`
}

// allowed is a network, an address or a name that webhooks may go to.
type allowed string

// UnmarshalText refuses what is none of these.
func (a *allowed) UnmarshalText(text []byte) error {
	if _, err := webhook.NewGuard(string(text)); err != nil {
		return fmt.Errorf("%q is not a network such as 10.1.0.0/16 or a host name such as hooks.internal", clip(string(text)))
	}
	*a = allowed(text)
	return nil
}

// guard says where webhooks may go.
func (f dataFlags) guard() (*webhook.Guard, error) {
	names := make([]string, len(f.WebhookAllow))
	for i, a := range f.WebhookAllow {
		names[i] = string(a)
	}
	return webhook.NewGuard(names...)
}

// engineFlags say what carries out runs that are started here.
type engineFlags struct {
	Engine engineName `enum:"auto,wave,local" default:"auto" placeholder:"auto|wave|local" group:"runs" help:"The engine that executes runs started here: wave, local (this program), or auto, which is wave if it is on PATH and local otherwise."`
}

type engineName string

// at fills in where the files of the project in root are, unless it was said.
// It stays empty when this user has no home.
func (f dataFlags) at(root string) dataFlags {
	if f.Data != "" {
		return f
	}
	state := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(state) { // the specification has others ignored
		home, err := os.UserHomeDir()
		if err != nil {
			return f
		}
		state = filepath.Join(home, ".local", "state")
	}
	sum := sha256.Sum256([]byte(root))
	name := strings.Trim(unplain.ReplaceAllString(filepath.Base(root), "-"), "-.")
	f.Data = filepath.Join(state, "wavedeck", name[:min(len(name), 40)]+"-"+hex.EncodeToString(sum[:4]))
	return f
}

// unplain is what a folder's name should not have.
var unplain = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// bindAddress is an address of this machine.
type bindAddress netip.Addr

// UnmarshalText reads an IP address, or localhost.
func (b *bindAddress) UnmarshalText(text []byte) error {
	name := strings.Trim(string(text), "[]")
	if name == "localhost" {
		name = "127.0.0.1"
	}
	addr, err := netip.ParseAddr(name)
	if err != nil {
		return fmt.Errorf("%q is not an IP address", clip(string(text)))
	}
	*b = bindAddress(addr)
	return nil
}

// token is a secret that visitors send in a header.
type token string

// UnmarshalText refuses what a header cannot carry, without repeating it.
func (t *token) UnmarshalText(text []byte) error {
	if len(text) > 512 || bytes.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("a token must be at most 512 printable ASCII characters with no space")
	}
	*t = token(text)
	return nil
}

// hostName is a name in a Host header, without a port.
type hostName string

// UnmarshalText takes a name or an address.
func (h *hostName) UnmarshalText(text []byte) error {
	name := strings.Trim(string(text), "[]")
	if _, err := netip.ParseAddr(name); err != nil && !webhook.IsHostName(name) {
		return fmt.Errorf("%q is not a host name such as deck.example.org", clip(string(text)))
	}
	*h = hostName(strings.ToLower(name))
	return nil
}

func (b bindAddress) addr() netip.Addr { return netip.Addr(b) }

// basePath is "" or a path such as "/deck", without a slash at its end.
type basePath string

// UnmarshalText takes the path with or without its outer slashes.
func (p *basePath) UnmarshalText(text []byte) error {
	path, err := views.ParsePaths(string(text))
	if err != nil {
		return fmt.Errorf("%q is %w", clip(string(text)), err)
	}
	*p = basePath(path)
	return nil
}

// clip shortens what is quoted in an error.
func clip(text string) string {
	return wave.Clip(text, 60)
}
