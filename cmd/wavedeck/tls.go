package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// tls returns how to speak TLS, nil when no certificate was given.
func (f *listenFlags) tls(log *slog.Logger) (*tls.Config, error) {
	if f.TLSCert == "" {
		return nil, nil
	}
	c := &certificate{cert: f.TLSCert, key: f.TLSKey, log: log, now: time.Now}
	if err := c.load(); err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.current}, nil
}

// certificateCheck is how often the files are looked at, when somebody connects.
const certificateCheck = 5 * time.Second

// certificate is a pair of files that somebody renews now and then.
type certificate struct {
	cert, key string
	log       *slog.Logger
	now       func() time.Time

	mu      sync.Mutex
	loaded  *tls.Certificate
	stamps  [2]stamp
	checked time.Time
}

type stamp struct {
	modified time.Time
	size     int64
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{info.ModTime(), info.Size()}
}

func (c *certificate) load() error {
	c.checked = c.now()
	stamps := [2]stamp{stampOf(c.cert), stampOf(c.key)}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("read certificate: %w", err)
	}
	c.loaded, c.stamps = &pair, stamps
	return nil
}

// current returns the certificate, read again when its files changed. While
// they do not fit together, as in the middle of a renewal, the old one stays.
func (c *certificate) current(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now().Sub(c.checked) < certificateCheck {
		return c.loaded, nil
	}
	c.checked = c.now()
	if c.stamps == [2]stamp{stampOf(c.cert), stampOf(c.key)} {
		return c.loaded, nil
	}
	if err := c.load(); err != nil {
		c.log.Warn("failed to reload the certificate: the previous one stays in use", "err", err)
		return c.loaded, nil
	}
	c.log.Info("reloaded the certificate", "file", c.cert)
	return c.loaded, nil
}
