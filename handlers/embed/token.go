package embed

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

	"wavedeck/handlers/audit"
	"wavedeck/handlers/grant"
	"wavedeck/handlers/present"
	"wavedeck/handlers/web"
	"wavedeck/store/criteria"
	"wavedeck/views/address"
)

// keyPeriod is how long one of the console's own keys signs; it is accepted
// twice as long. All servers with the same data have the same keys.
const keyPeriod = 7 * 24 * time.Hour

// embedKeys are the keys of tokens: the first signs.
func (h *Handler) embedKeys(ctx context.Context) ([][]byte, error) {
	var keys [][]byte
	for _, text := range h.Access.Embed.Keys {
		sum := sha256.Sum256([]byte("wavedeck embed key\n" + text))
		keys = append(keys, sum[:])
	}
	if len(keys) > 0 {
		h.keysRead.Store(&keys)
		return keys, nil
	}
	period := h.Now().Unix() / int64(keyPeriod/time.Second)
	for _, n := range []int64{period, period - 1} {
		key, err := h.Data.Fact(ctx, "embed-key-"+strconv.FormatInt(n, 10), newKey)
		if err != nil {
			return nil, fmt.Errorf("key of embed tokens: %w", err)
		}
		keys = append(keys, key)
	}
	h.keysRead.Store(&keys)
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
func (h *Handler) apiEmbedToken(w http.ResponseWriter, r *http.Request) error {
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
	origins, err := h.tokenOrigins(asked.Origins)
	if err != nil {
		return err
	}
	keys, err := h.embedKeys(r.Context())
	if err != nil {
		return err
	}
	g := grant.Grant{
		ID: grant.NewID(), Scope: grant.Read, Resource: resource, Origins: origins,
		Subject: present.Clip(asked.Subject, web.MaxText), Expires: h.Now().Add(ttl).Unix(),
	}
	token, err := grant.Sign(keys[0], g)
	if err != nil {
		return err //nolint:wrapcheck // it says all
	}
	act := audit.RecordOf(r.Context())
	for name, value := range map[string]string{
		"resource": resource, "origins": strings.Join(origins, " "), "subject": g.Subject, "jti": g.ID, "ttl": ttl.String(),
	} {
		act.Param(name, value)
	}
	at := h.Origin(r)
	w.Header().Set("Cache-Control", "no-store")
	h.WriteJSON(w, r, http.StatusCreated, embedTokenResponse{
		Token: token, URL: at + h.Paths.Signed("embed", token, resource), Fragment: at + h.Paths.Signed("fragments", token, resource),
		Resource: resource, Origins: origins, ExpiresAt: g.Until().UTC(), ExpiresIn: int(ttl / time.Second), ID: g.ID,
	})
	return nil
}

// readTokenRequest reads JSON, or a form with origins in a row.
func readTokenRequest(r *http.Request) (asked embedTokenRequest, err error) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "application/json" {
		return asked, &web.Error{
			Status: http.StatusUnsupportedMediaType, Text: "the request is not JSON",
			Next: `Send {"resource": "runs/ID/card", "ttl": 900, "origins": ["https://portal.example"]} as application/json.`,
		}
	}
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err = decoder.Decode(&asked)
	if err == nil || web.CutOff(err) {
		return asked, err
	}
	return asked, &web.Error{
		Status: http.StatusBadRequest, Text: "the body cannot be read: " + present.Clip(web.JSONProblem(err).Error(), web.MaxText), Err: err,
		Next: "It should have resource, ttl in seconds, origins and subject.",
	}
}

// parseResource reads the part of the console that a token is for, and writes it
// as addresses have it.
func parseResource(text string) (string, error) {
	wrong := &criteria.InputError{
		Field: "resource", Got: present.Clip(text, 64),
		Want: "a part of the console such as runs/ID/card, runs/ID, pipelines/NAME or runs?state=failed",
	}
	segments, narrow, err := grant.ParseResource(text)
	if err != nil || len(text) > web.MaxName || len(segments) > 3 {
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
func (h *Handler) tokenOrigins(asked []string) ([]string, error) {
	if len(asked) == 0 {
		return nil, &criteria.InputError{Field: "origins", Got: "", Want: "the origins of the pages that show it, such as https://portal.example"}
	}
	var origins []string
	for _, text := range asked {
		origin, err := web.ParseOrigin(text)
		if err != nil {
			return nil, &criteria.InputError{Field: "origins", Got: present.Clip(text, 64), Want: "origins such as https://portal.example"}
		}
		if !slices.Contains(h.Access.Embed.Origins, origin) {
			return nil, &web.Error{
				Status: http.StatusForbidden, Text: "pages of " + web.Quoted(present.Clip(origin, 64)) + " may not embed this console",
				Next: "Its operator can allow them with --embed-origins " + present.Clip(origin, 64) + ".",
			}
		}
		origins = append(origins, origin)
	}
	return origins, nil
}

// TokenName is what the log calls a token of an embed; empty when it is not one of this console.
// It reads nothing: the keys are those that requests before were answered with.
func (h *Handler) TokenName(token string) string {
	keys := h.keysRead.Load()
	if keys == nil {
		return ""
	}
	g, err := grant.Open(*keys, token, h.Now())
	if err != nil && g.ID == "" {
		return ""
	}
	return "jti:" + present.OneLine(present.Clip(g.ID, 32))
}
