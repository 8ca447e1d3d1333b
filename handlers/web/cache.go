package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/klauspost/compress/gzip"

	"wavedeck/static"
)

// An answer is kept until the state or the manifest changes, and a second at
// most, because it holds ages ("12 s ago") that go on.
const (
	cacheFor   = time.Second
	cacheBytes = 32 << 20
)

// answer is a rendered body with its ETag. It is compressed once, for the first
// client that can read that.
type answer struct {
	contentType string
	body        []byte
	zipped      func() []byte // nil when it does not get smaller
	etag        string
}

// cached is one kept answer and what it was made from.
type cached struct {
	key     string
	version version
	until   time.Time
	answer  answer
}

// version names the content that an answer shows. Two servers on one database
// need not agree on it: it never leaves the process.
type version struct {
	state    uint64
	manifest uint64
	acted    uint64
	priced   uint64
}

func (v version) String() string {
	return strconv.FormatUint(v.state, 36) + "-" + strconv.FormatUint(v.manifest, 36) + "-" + strconv.FormatUint(v.acted, 36) + "-" + strconv.FormatUint(v.priced, 36)
}

// Answers keeps rendered answers, the least recently used dropped first. One
// request renders what many ask for at the same moment: after each change every
// open tab asks for the same fragment.
type Answers struct {
	flight flight[answer]

	mu   sync.Mutex
	kept *simplelru.LRU[string, *cached]
	size int // bytes of all bodies
}

// NewAnswers makes an empty cache.
func NewAnswers() *Answers {
	c := &Answers{}
	c.kept, _ = simplelru.NewLRU(math.MaxInt, func(_ string, old *cached) { c.size -= len(old.answer.body) }) // its error is that of a size below 1
	return c
}

func (c *Answers) get(key string, v version, now time.Time) (answer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept, ok := c.kept.Get(key)
	if !ok {
		return answer{}, false
	}
	if kept.version != v || now.After(kept.until) {
		c.kept.Remove(key)
		return answer{}, false
	}
	return kept.answer, true
}

func (c *Answers) put(kept *cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept.Remove(kept.key) // Add would not count the old body out
	c.kept.Add(kept.key, kept)
	for c.size += len(kept.answer.body); c.size > cacheBytes; {
		c.kept.RemoveOldest()
	}
}

// ServeCached answers with what make fills in, or with what it filled in for
// the same URL and form since the last change. The ETag is the content's hash,
// so that servers agree on it.
//
// fill is given the request with a context of its own, which is the only one
// to use: others may wait for its answer when the client that asked first has
// left. It ends when all of them have.
func (k *Kit) ServeCached(w http.ResponseWriter, r *http.Request, contentType string, fill func(*http.Request, *bytes.Buffer) error) error {
	now := k.Now()
	v := k.version()
	key := contentType + " " + k.Origin(r) + r.URL.RequestURI() // links to a page may name where it was asked for
	if IsFragment(r) {
		key = "fragment " + key
	}
	kept, ok := k.Shared.Answers.get(key, v, now)
	if !ok {
		var err error
		kept, err = k.Shared.Answers.flight.do(r.Context(), v.String()+" "+key, k.Budgets.Answer, func(ctx context.Context) (answer, error) {
			a, err := makeAnswer(contentType, func(b *bytes.Buffer) error { return fill(r.WithContext(ctx), b) })
			if err == nil {
				k.Shared.Answers.put(&cached{key: key, version: v, until: now.Add(cacheFor), answer: a})
			}
			return a, err
		})
		if err != nil {
			return err
		}
	}
	k.sendAnswer(w, r, kept)
	return nil
}

// sendAnswer sends a kept answer, or that the client has it already.
func (k *Kit) sendAnswer(w http.ResponseWriter, r *http.Request, a answer) {
	header := w.Header()
	header.Set("Cache-Control", "private, no-cache")
	header.Add("Vary", "Accept-Encoding, "+varyFragment)
	header.Set("ETag", a.etag)
	if notModified(r.Header.Get("If-None-Match"), a.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := a.body
	if static.AcceptsGzip(r.Header.Get("Accept-Encoding")) {
		if zipped := a.zipped(); zipped != nil {
			body = zipped
			header.Set("Content-Encoding", "gzip")
		}
	}
	k.Send(w, r, http.StatusOK, a.contentType, body)
}

func makeAnswer(contentType string, fill func(*bytes.Buffer) error) (answer, error) {
	var a answer
	err := withBuffer(func(b *bytes.Buffer) error {
		if err := fill(b); err != nil {
			return err
		}
		sum := sha256.Sum256(b.Bytes())
		body := bytes.Clone(b.Bytes())
		a = answer{
			contentType: contentType,
			body:        body,
			zipped:      sync.OnceValue(func() []byte { return static.Compress(body, gzip.BestSpeed) }),
			etag:        `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`,
		}
		return nil
	})
	return a, err
}

// notModified compares weakly (RFC 9110, 13.1.2): a compressing proxy may have
// weakened or suffixed nothing else of it.
func notModified(ifNoneMatch, etag string) bool {
	for candidate := range strings.SplitSeq(ifNoneMatch, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == strings.TrimPrefix(etag, "W/") && candidate != "" {
			return true
		}
	}
	return false
}
