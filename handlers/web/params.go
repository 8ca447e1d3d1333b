package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"wavedeck/handlers/present"
	"wavedeck/store/criteria"
	"wavedeck/views/address"
)

// maxFieldValues bounds how often one field may be given, as a list of steps or
// of runs.
const maxFieldValues = 2000

// ReadBody reads what an action is asked for with: a form, or a JSON object of
// texts, numbers, booleans and lists of texts, which is the same to whoever
// reads it. Only fields may be given. Without a body there are none.
func ReadBody(r *http.Request, fields ...string) (url.Values, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	var values url.Values
	switch {
	case r.ContentLength == 0:
		return url.Values{}, nil
	case kind == "application/json":
		values, err = readJSON(r.Body)
	case kind == "multipart/form-data":
		err = r.ParseMultipartForm(maxBody) //nolint:gosec // SetHeaders bounds the body
		values = r.PostForm
		SplitNames(values)
	case kind == "application/x-www-form-urlencoded":
		err = r.ParseForm()
		values = r.PostForm
		SplitNames(values)
	default:
		return nil, &Error{
			Status: http.StatusUnsupportedMediaType, Text: "the body is neither JSON nor a form", Err: err,
			Next: "Say which in Content-Type: application/json or application/x-www-form-urlencoded.",
		}
	}
	if CutOff(err) {
		return nil, err
	}
	if err != nil {
		return nil, &Error{Status: http.StatusBadRequest, Text: "the body cannot be read: " + present.Clip(err.Error(), MaxText), Err: err}
	}
	return values, CheckFields(values, fields)
}

// CutOff reports whether a body was not read to its end: it may be right, and
// the table of errors says what is wrong.
func CutOff(err error) bool {
	return errors.As(err, new(*http.MaxBytesError)) || errors.Is(err, os.ErrDeadlineExceeded)
}

// CheckFields refuses fields that are not among fields.
func CheckFields(values url.Values, fields []string) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(fields, name) {
			return &Error{
				Status: http.StatusBadRequest, Text: "unknown field " + Quoted(strings.ToValidUTF8(present.Clip(name, 64), "?")),
				Next: "The fields are " + strings.Join(fields, ", ") + ".",
			}
		}
		if len(values[name]) > maxFieldValues {
			return &criteria.InputError{Field: name, Got: fmt.Sprint(len(values[name]), " values"), Want: fmt.Sprint("at most ", maxFieldValues)}
		}
		for i, value := range values[name] {
			if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
				return &criteria.InputError{Field: name, Got: strings.ToValidUTF8(present.Clip(value, 64), "?"), Want: "text in UTF-8"}
			}
			if address.IsName(name) {
				values[name][i] = address.Decode(value)
			}
		}
	}
	return nil
}

// readJSON reads an object as a form would give it. A field that is null is absent.
func readJSON(body io.Reader) (url.Values, error) {
	decoder := json.NewDecoder(body)
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		return nil, JSONProblem(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one JSON object")
	}
	values := url.Values{}
	for name, value := range object {
		list, isList := value.([]any)
		if !isList {
			list = []any{value}
		}
		for _, one := range list {
			text, err := plainValue(one)
			if err != nil {
				return nil, fmt.Errorf("the field %s %w", Quoted(present.Clip(name, 64)), err)
			}
			switch {
			case one == nil:
			case isList || !holdsNames(name):
				values[name] = append(values[name], text)
			default:
				values[name] = splitNames(text)
			}
		}
		if len(list) == 0 {
			values[name] = nil
		}
	}
	return values, nil
}

func plainValue(value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case json.Number:
		return v.String(), nil
	default:
		return "", errors.New("holds an object or a list within a list")
	}
}

// unknownField is how encoding/json says that there is no such field.
const unknownField = "json: unknown field "

// JSONProblem words what is wrong without the names of Go's types.
func JSONProblem(err error) error {
	var syntax *json.SyntaxError
	var typed *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("it is not JSON: %w at byte %d", err, syntax.Offset)
	case errors.As(err, &typed) && typed.Field != "":
		return fmt.Errorf("the field %s holds a %s", Quoted(typed.Field), typed.Value)
	case errors.As(err, &typed):
		return errors.New("it is JSON, but not an object")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the JSON ends too early")
	case strings.HasPrefix(err.Error(), unknownField):
		return errors.New("unknown field " + strings.TrimPrefix(err.Error(), unknownField))
	default:
		return err
	}
}

// Names are the names that a field holds, each once. Whoever read the field has split it.
func Names(values url.Values, field string) (list []string) {
	for _, name := range values[field] {
		if strings.TrimSpace(name) != "" && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// SplitNames splits the fields that hold names, where one text is given for all of
// them. A name that holds a comma is given in a list, or in a field that is repeated.
func SplitNames(values url.Values) {
	for field, texts := range values {
		if holdsNames(field) && len(texts) == 1 {
			values[field] = splitNames(texts[0])
		}
	}
}

// holdsNames reports whether a field holds several names, with commas between them
// where it is one text.
func holdsNames(field string) bool {
	switch field {
	case present.FieldSteps, present.FieldExclude, "tags", "on":
		return true
	}
	return false
}

// Listed are the names in one text, with commas between them; none when it is empty.
func Listed(text string) []string {
	return Names(url.Values{"": splitNames(text)}, "")
}

func splitNames(text string) (list []string) {
	for name := range strings.SplitSeq(text, ",") {
		list = append(list, strings.TrimSpace(name))
	}
	return list
}

// Bool reads a field that is a checkbox, or a boolean.
func Bool(values url.Values, field string) (bool, error) {
	switch values.Get(field) {
	case "", "false", "0", "off", "no":
		return false, nil
	case "true", "1", "on", "yes":
		return true, nil
	default:
		return false, &criteria.InputError{Field: field, Got: present.Clip(values.Get(field), 64), Want: "true or false"}
	}
}

// Bounds of what an address may ask for: characters of a text to search for, of
// a filter and of a name, and how many values one parameter may have.
const (
	MaxText   = 200
	MaxFilter = 1000
	MaxName   = 4096
	MaxValues = 50
)

// maxOf is how long a value may be. Names come out of the history itself, and
// there a tag may be of any length: its link has to work.
func maxOf(key string) int {
	switch key {
	case "pipeline", "tag", "parent", "step", "left", "right":
		return MaxName
	case "q":
		return MaxFilter
	default:
		return MaxText
	}
}

// Texts are the values of a parameter, empty ones left out: an empty field of a
// form restricts nothing.
func Texts(q url.Values, key string) ([]string, error) {
	most := maxOf(key)
	var values []string
	for _, v := range q[key] {
		if !address.IsName(key) {
			v = strings.TrimSpace(v)
		}
		switch {
		case v == "":
			continue
		case !utf8.ValidString(v) || strings.ContainsRune(v, 0):
			return nil, &criteria.InputError{Field: key, Got: strings.ToValidUTF8(present.Clip(v, 64), "?"), Want: "text in UTF-8"}
		case utf8.RuneCountInString(v) > most:
			return nil, &criteria.InputError{Field: key, Got: present.Clip(v, 64), Want: "at most " + strconv.Itoa(most) + " characters"}
		}
		if address.IsName(key) {
			v = address.Decode(v)
		}
		if !slices.Contains(values, v) {
			values = append(values, v)
		}
		if len(values) > MaxValues {
			return nil, &criteria.InputError{Field: key, Got: present.Clip(v, 64), Want: "given at most " + strconv.Itoa(MaxValues) + " times"}
		}
	}
	return values, nil
}

// FirstOf is the first of some parameters that is there, of which only one can be used.
func FirstOf(q url.Values, keys ...string) string {
	for _, key := range keys {
		if v := q.Get(key); v != "" {
			return v
		}
	}
	return ""
}

// PathVar is a variable of the path, which is matched as it was sent.
func PathVar(r *http.Request, name string) (string, error) {
	raw := RouteVar(r, name)
	value, err := address.ParseSegment(raw)
	if err != nil {
		return "", &criteria.InputError{Field: name, Got: present.Clip(raw, 64), Want: "a name in UTF-8"}
	}
	return value, nil
}

// Clone is a copy that can be changed.
func Clone(q url.Values) url.Values {
	out := url.Values{}
	for k, v := range q {
		out[k] = append([]string(nil), v...)
	}
	return out
}

// WithQuery is a path with parameters.
func WithQuery(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}
