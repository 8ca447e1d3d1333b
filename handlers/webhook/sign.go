// Package webhook sends signed messages to addresses that people gave: signed
// as https://www.standardwebhooks.com describes, to no address of an inner
// network that was not allowed, and again after pauses that grow.
package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Bounds of a secret in bytes, by the specification.
const (
	minSecret = 24
	maxSecret = 64
	newSecret = 32
)

const secretPrefix = "whsec_"

// Secret is what a receiver knows a message by. It is never printed.
type Secret []byte

// NewSecret makes a random one.
func NewSecret() Secret {
	secret := make(Secret, newSecret)
	_, _ = rand.Read(secret) // never fails
	return secret
}

// errSecret does not repeat what was given.
var errSecret = errors.New(`whsec_ and 24 to 64 bytes in base64, such as "whsec_" + what openssl rand -base64 32 prints`)

// ParseSecret reads what Text writes; whsec_ may be left out. The error says
// what would be right.
func ParseSecret(text string) (Secret, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(strings.TrimSpace(text), secretPrefix))
	if err != nil || len(key) < minSecret || len(key) > maxSecret {
		return nil, errSecret
	}
	return key, nil
}

// Text is the form in which a receiver is given the secret.
func (s Secret) Text() string { return secretPrefix + base64.StdEncoding.EncodeToString(s) }

// String and GoString keep a secret out of logs.
func (Secret) String() string { return "whsec_…" }

// GoString is as String.
func (Secret) GoString() string { return "whsec_…" }

// sign is the signature of one attempt.
func (s Secret) sign(id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, s)
	mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
