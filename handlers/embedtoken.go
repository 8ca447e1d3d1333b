package handlers

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"wavedeck/handlers/grant"
	"wavedeck/store/criteria"
	"wavedeck/views/address"
)

// keyPeriod is how long one of the console's own keys signs; it is accepted
// twice as long. All servers of one desk have the same keys.
const keyPeriod = 7 * 24 * time.Hour

// actionEmbedToken is what the audit log calls the making of a token.
const actionEmbedToken = "embed-token"

// embedKeys are the keys of tokens: the first signs.
func (s *Server) embedKeys(ctx context.Context) ([][]byte, error) {
	var keys [][]byte
	for _, text := range s.embed.Keys {
		sum := sha256.Sum256([]byte("wavedeck embed key\n" + text))
		keys = append(keys, sum[:])
	}
	if len(keys) > 0 {
		return keys, nil
	}
	period := s.now().Unix() / int64(keyPeriod/time.Second)
	for _, n := range []int64{period, period - 1} {
		key, err := s.desk.Fact(ctx, "embed-key-"+strconv.FormatInt(n, 10), newKey)
		if err != nil {
			return nil, fmt.Errorf("key of embed tokens: %w", err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func newKey() []byte {
	key := make([]byte, 32)
	rand.Read(key) // it never fails
	return key
}

// embedTokenRequest asks for a token.
type embedTokenRequest struct {
	Resource string   `json:"resource"` // "runs/7f3a/card", "runs/7f3a", "pipelines/fix-issue", "runs?state=failed"
	TTL      int      `json:"ttl"`      // seconds; 0: as long as a token may last
	Origins  []string `json:"origins"`  // of the pages that show it
	Subject  string   `json:"subject"`  // for whom, for the audit log
}

type embedTokenResponse struct {
	Token     string    `json:"token"`
	URL       string    `json:"url"` // of the document, with the token; of a resource that covers several: what to put its name behind
	Fragment  string    `json:"fragment"`
	Resource  string    `json:"resource"`
	Origins   []string  `json:"origins"`
	ExpiresAt time.Time `json:"expires_at"`
	ExpiresIn int       `json:"expires_in"` // seconds
	ID        string    `json:"jti"`
}

// apiEmbedToken makes a token for a part of the console. It is asked by the
// portal's own server, which knows who looks at its page.
func (s *Server) apiEmbedToken(w http.ResponseWriter, r *http.Request) error {
	asked, err := readTokenRequest(r)
	if err != nil {
		return err
	}
	resource, err := parseResource(asked.Resource)
	if err != nil {
		return err
	}
	ttl := time.Duration(asked.TTL) * time.Second
	if asked.TTL == 0 {
		ttl = grant.Longest
	}
	if ttl < time.Second || ttl > grant.Longest {
		return &criteria.InputError{Field: "ttl", Got: strconv.Itoa(asked.TTL), Want: "from 1 to " + strconv.Itoa(int(grant.Longest/time.Second)) + " seconds"}
	}
	origins, err := s.tokenOrigins(asked.Origins)
	if err != nil {
		return err
	}
	keys, err := s.embedKeys(r.Context())
	if err != nil {
		return err
	}
	g := grant.Grant{
		ID: grant.NewID(), Scope: grant.Read, Resource: resource, Origins: origins,
		Subject: clip(asked.Subject, maxText), Expires: s.now().Add(ttl).Unix(),
	}
	token, err := grant.Sign(keys[0], g)
	if err != nil {
		return err //nolint:wrapcheck // it says all
	}
	act := acting(r.Context())
	for name, value := range map[string]string{
		"resource": resource, "origins": strings.Join(origins, " "), "subject": g.Subject, "jti": g.ID, "ttl": ttl.String(),
	} {
		act.with(name, value)
	}
	at := s.origin(r)
	w.Header().Set("Cache-Control", "no-store")
	s.writeJSON(w, r, http.StatusCreated, embedTokenResponse{
		Token: token, URL: at + s.paths.Signed("embed", token, resource), Fragment: at + s.paths.Signed("fragments", token, resource),
		Resource: resource, Origins: origins, ExpiresAt: g.Until().UTC(), ExpiresIn: int(ttl / time.Second), ID: g.ID,
	})
	return nil
}

// readTokenRequest reads JSON, or a form with origins in a row.
func readTokenRequest(r *http.Request) (asked embedTokenRequest, err error) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "application/json" {
		return asked, &httpError{
			status: http.StatusUnsupportedMediaType, text: "the request is not JSON",
			next: `Send {"resource": "runs/ID/card", "ttl": 900, "origins": ["https://portal.example"]} as application/json.`,
		}
	}
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err = decoder.Decode(&asked)
	if err == nil || cutOff(err) {
		return asked, err
	}
	return asked, &httpError{
		status: http.StatusBadRequest, text: "the body cannot be read: " + clip(wordJSON(err).Error(), maxText), err: err,
		next: "It should have resource, ttl in seconds, origins and subject.",
	}
}

// parseResource reads the part of the console that a token is for, and writes it
// as addresses have it.
func parseResource(text string) (string, error) {
	wrong := &criteria.InputError{
		Field: "resource", Got: clip(text, 64),
		Want: "a part of the console such as runs/ID/card, runs/ID, pipelines/NAME or runs?state=failed",
	}
	segments, narrow, err := grant.ParseResource(text)
	if err != nil || len(text) > maxName || len(segments) > 3 {
		return "", wrong
	}
	for i, segment := range segments {
		segments[i] = address.Segment(segment)
	}
	last := ""
	if len(segments) == 3 {
		last = segments[2]
	}
	switch segments[0] {
	case "runs":
		if !slices.Contains([]string{"", "card", "timeline", "graph", "steps", "log"}, last) {
			return "", wrong
		}
	case "attention":
		if len(segments) > 1 {
			return "", wrong
		}
	case "pipelines":
		if len(segments) == 1 || !slices.Contains([]string{"", "latest", "history"}, last) {
			return "", wrong
		}
	default:
		return "", wrong
	}
	resource := strings.Join(segments, "/")
	if narrow != nil {
		resource += "?" + narrowing(narrow).Encode()
	}
	return resource, nil
}

// tokenOrigins are the origins that a token may name: listed ones.
func (s *Server) tokenOrigins(asked []string) ([]string, error) {
	if len(asked) == 0 {
		return nil, &criteria.InputError{Field: "origins", Got: "", Want: "the origins of the pages that show it, such as https://portal.example"}
	}
	var origins []string
	for _, text := range asked {
		origin, err := ParseOrigin(text)
		if err != nil {
			return nil, &criteria.InputError{Field: "origins", Got: clip(text, 64), Want: "origins such as https://portal.example"}
		}
		if !slices.Contains(s.embed.Origins, origin) {
			return nil, &httpError{
				status: http.StatusForbidden, text: "pages of " + quoted(clip(origin, 64)) + " may not show this console",
				next: "Whoever runs it allows them with --embed-origins " + clip(origin, 64) + ".",
			}
		}
		origins = append(origins, origin)
	}
	return origins, nil
}

// loggedPath is the path of a request as the log has it: of a token only its
// name, when it is one of ours.
func (s *Server) loggedPath(r *http.Request) string {
	path := r.URL.Path
	for _, root := range []string{embedRoot, fragmentRoot, badgeRoot} {
		before, after, found := strings.Cut(path, root+"/t/")
		if !found {
			continue
		}
		token, rest, _ := strings.Cut(after, "/")
		name := "…"
		if keys, err := s.embedKeys(r.Context()); err == nil {
			if g, err := grant.Open(keys, token, s.now()); err == nil || g.ID != "" {
				name = "jti:" + oneLine(clip(g.ID, 32))
			}
		}
		return before + root + "/t/" + name + "/" + rest
	}
	return path
}
