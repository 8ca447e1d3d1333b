package criteria

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"wavedeck/store/wave"
)

// maxCursor bounds the encoded cursor: ids are short, and it comes from a URL.
const maxCursor = 2048

// InputError says that a value which came from outside cannot be used. All of
// it may be shown to whoever sent the value.
type InputError struct {
	Field string // what was given: "cursor", "limit"
	Got   string // the value, cut to a length that is safe to repeat
	Want  string // what it should look like
}

func (e *InputError) Error() string {
	return fmt.Sprintf("%s %q is not usable: want %s", e.Field, e.Got, e.Want)
}

// String is the cursor as it stands in a URL: base64url JSON without padding.
func (c Cursor) String() string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(c); err != nil {
		return "" // an int64 and a string always encode
	}
	return base64.RawURLEncoding.EncodeToString(bytes.TrimRight(b.Bytes(), "\n"))
}

// ParseCursor reads what String wrote, in either alphabet of base64, padded or
// not. Empty text is no cursor. Errors are *InputError.
func ParseCursor(text string) (*Cursor, error) {
	if text == "" {
		return nil, nil
	}
	c, err := parseCursor(text)
	if err != nil {
		return nil, &InputError{
			Field: "cursor", Got: wave.Clip(text, 64),
			Want: `base64 of {"t":unix seconds,"id":"run id"}; ` + err.Error(),
		}
	}
	return c, nil
}

func parseCursor(text string) (*Cursor, error) {
	if len(text) > maxCursor {
		return nil, fmt.Errorf("this is longer than %d bytes", maxCursor)
	}
	plain := strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(text, "="))
	raw, err := base64.RawURLEncoding.Strict().DecodeString(plain)
	if err != nil {
		return nil, errors.New("this is not base64")
	}
	var c struct {
		T  *int64  `json:"t"`
		ID *string `json:"id"`
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return nil, errors.New("this holds something else")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("this holds more than that")
	}
	switch {
	case c.T == nil:
		return nil, errors.New("t is missing")
	case c.ID == nil || *c.ID == "":
		return nil, errors.New("id is missing")
	}
	return &Cursor{T: *c.T, ID: *c.ID}, nil
}

// ParseLimit reads a page size. Empty text is DefaultLimit. Errors are
// *InputError.
func ParseLimit(text string) (int, error) {
	if text == "" {
		return DefaultLimit, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > MaxLimit {
		return 0, &InputError{Field: "limit", Got: wave.Clip(text, 64), Want: fmt.Sprintf("a number from 1 to %d", MaxLimit)}
	}
	return n, nil
}
