package handlers

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

	"wavedeck/store/criteria"
	"wavedeck/views/address"
)

// maxFieldValues bounds how often one field may be given, as a list of steps or
// of runs.
const maxFieldValues = 2000

// readBody reads what an action is asked for with: a form, or a JSON object of
// texts, numbers, booleans and lists of texts, which is the same to whoever
// reads it. Only fields may be given. Without a body there are none.
func readBody(r *http.Request, fields ...string) (url.Values, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	var values url.Values
	switch {
	case r.ContentLength == 0:
		return url.Values{}, nil
	case kind == "application/json":
		values, err = readJSON(r.Body)
	case kind == "multipart/form-data":
		err = r.ParseMultipartForm(maxBody)
		values = r.PostForm
	case kind == "application/x-www-form-urlencoded":
		err = r.ParseForm()
		values = r.PostForm
	default:
		return nil, &httpError{
			status: http.StatusUnsupportedMediaType, text: "the body is neither JSON nor a form", err: err,
			next: "Say which in Content-Type: application/json or application/x-www-form-urlencoded.",
		}
	}
	if cutOff(err) {
		return nil, err
	}
	if err != nil {
		return nil, &httpError{status: http.StatusBadRequest, text: "the body cannot be read: " + clip(err.Error(), maxText), err: err}
	}
	return values, checkFields(values, fields)
}

// cutOff reports whether a body was not read to its end: it may be right, and
// the table of errors says what is wrong.
func cutOff(err error) bool {
	return errors.As(err, new(*http.MaxBytesError)) || errors.Is(err, os.ErrDeadlineExceeded)
}

func checkFields(values url.Values, fields []string) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(fields, name) {
			return &httpError{
				status: http.StatusBadRequest, text: "there is no field " + quoted(strings.ToValidUTF8(clip(name, 64), "?")),
				next: "The fields are " + strings.Join(fields, ", ") + ".",
			}
		}
		if len(values[name]) > maxFieldValues {
			return &criteria.InputError{Field: name, Got: fmt.Sprint(len(values[name]), " values"), Want: fmt.Sprint("at most ", maxFieldValues)}
		}
		for i, value := range values[name] {
			if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
				return &criteria.InputError{Field: name, Got: strings.ToValidUTF8(clip(value, 64), "?"), Want: "text in UTF-8"}
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
		return nil, wordJSON(err)
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
				return nil, fmt.Errorf("the field %s %w", quoted(clip(name, 64)), err)
			}
			if one != nil {
				values[name] = append(values[name], text)
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

// wordJSON words what is wrong without the names of Go's types.
func wordJSON(err error) error {
	var syntax *json.SyntaxError
	var typed *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("it is no JSON: %w at byte %d", err, syntax.Offset)
	case errors.As(err, &typed) && typed.Field != "":
		return fmt.Errorf("the field %s holds a %s", quoted(typed.Field), typed.Value)
	case errors.As(err, &typed):
		return errors.New("it is JSON, and not an object")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the JSON ends too early")
	case strings.HasPrefix(err.Error(), unknownField):
		return errors.New("there is no field " + strings.TrimPrefix(err.Error(), unknownField))
	default:
		return err
	}
}

// names are the values of a field that holds names: several, or one with commas.
func names(values url.Values, field string) (list []string) {
	for _, value := range values[field] {
		for name := range strings.SplitSeq(value, ",") {
			if name = strings.TrimSpace(name); name != "" && !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
	}
	return list
}

// truth reads a field that is a checkbox, or a boolean.
func truth(values url.Values, field string) (bool, error) {
	switch values.Get(field) {
	case "", "false", "0", "off", "no":
		return false, nil
	case "true", "1", "on", "yes":
		return true, nil
	default:
		return false, &criteria.InputError{Field: field, Got: clip(values.Get(field), 64), Want: "true or false"}
	}
}
