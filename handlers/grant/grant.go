// Package grant signs and reads the tokens of embedded parts of the console.
//
// A token is "v1." + payload + "." + mac: the payload is the JSON of a Grant and
// the mac its HMAC-SHA256, both in base64url without padding. It is shown as a
// part of an address, so it is short-lived and says what it is good for.
package grant

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"wavedeck/views/address"
)

// Longest is how long a grant may last; the clocks of two servers may differ by Skew.
const (
	Longest = 15 * time.Minute
	Skew    = 30 * time.Second
)

// maxToken bounds what is read at all.
const maxToken = 4096

// Reasons why a token is refused. Kinds of invalid tokens are not distinguished: that would
// help only who tries.
var (
	ErrInvalid = errors.New("the token is not one of this console")
	ErrExpired = errors.New("the token has expired")
)

// Grant lets whoever holds it read one part of the console.
type Grant struct {
	ID       string   `json:"jti"`
	Scope    string   `json:"scope"` // "read"; there is no other
	Resource string   `json:"res"`   // "runs/7f3a/card"; "runs/7f3a" is all of that run; "runs?state=failed" just this list
	Origins  []string `json:"org"`   // of the pages that may frame it
	Subject  string   `json:"sub,omitempty"`
	Expires  int64    `json:"exp"` // unix seconds
}

// Read is the only scope.
const Read = "read"

// NewID names a grant in logs.
func NewID() string { return rand.Text()[:16] }

const (
	version = "v1"
	context = "wavedeck embed " + version + "\n" // the key signs nothing else with this in front
)

func mac(key []byte, payload string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(context + payload))
	return h.Sum(nil)
}

// Sign makes the token of g.
func Sign(key []byte, g Grant) (string, error) {
	body, err := json.Marshal(g)
	if err != nil {
		return "", fmt.Errorf("encode grant: %w", err)
	}
	payload := base64.RawURLEncoding.EncodeToString(body)
	return version + "." + payload + "." + base64.RawURLEncoding.EncodeToString(mac(key, payload)), nil
}

// Open reads a token that was signed with one of keys. ErrExpired comes with the
// grant that it was.
func Open(keys [][]byte, token string, now time.Time) (Grant, error) {
	var g Grant
	parts := strings.Split(token, ".")
	if len(token) > maxToken || strings.ContainsAny(token, "\r\n") || // which base64 would overlook
		len(parts) != 3 || parts[0] != version {
		return g, ErrInvalid
	}
	strict := base64.RawURLEncoding.Strict() // else several texts would be one token
	sum, err := strict.DecodeString(parts[2])
	if err != nil {
		return g, ErrInvalid
	}
	signed := false
	for _, key := range keys {
		signed = hmac.Equal(sum, mac(key, parts[1])) || signed // each key takes the same time
	}
	if !signed {
		return g, ErrInvalid
	}
	body, err := strict.DecodeString(parts[1])
	if err != nil || json.Unmarshal(body, &g) != nil {
		return Grant{}, ErrInvalid
	}
	if g.Scope != Read || g.ID == "" || g.Resource == "" || g.Until().After(now.Add(Longest+Skew)) {
		return Grant{}, ErrInvalid
	}
	if !now.Before(g.Until()) {
		return g, ErrExpired
	}
	return g, nil
}

// Until is when the grant ends.
func (g Grant) Until() time.Time { return time.Unix(g.Expires, 0) }

// Covers reports whether the grant is for a part of the console: segments are
// its path, q what narrows it.
func (g Grant) Covers(segments []string, q url.Values) bool {
	mine, narrow, err := ParseResource(g.Resource)
	if err != nil || len(mine) == 0 || len(mine) > len(segments) || !slices.Equal(mine, segments[:len(mine)]) {
		return false
	}
	if narrow == nil {
		return true
	}
	return len(mine) == len(segments) && narrow.Encode() == q.Encode()
}

// ErrEmpty says that a part of a resource's path is empty. "runs/" is none of "runs":
// who puts an id behind it and has none would give away all of them.
var ErrEmpty = errors.New("a part of the path is empty")

// ParseResource splits a resource into the segments of its path and what narrows
// it, nil when it is not narrowed.
func ParseResource(resource string) (segments []string, narrow url.Values, err error) {
	path, query, narrowed := strings.Cut(resource, "?")
	for part := range strings.SplitSeq(path, "/") {
		segment, err := address.ParseSegment(part)
		if part == "" {
			err = ErrEmpty
		}
		if err != nil {
			return nil, nil, fmt.Errorf("resource %q: %w", resource, err)
		}
		segments = append(segments, segment)
	}
	if narrowed {
		if narrow, err = url.ParseQuery(query); err != nil {
			return nil, nil, fmt.Errorf("resource %q: %w", resource, err)
		}
	}
	return segments, narrow, nil
}
