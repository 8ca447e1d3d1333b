package views

import (
	"errors"
	"maps"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"wavedeck/views/address"
)

// Paths is the prefix under which the console is served: "" or "/deck". It is
// the only source of links.
type Paths string

func (p Paths) at(segments ...string) string {
	u := string(p)
	for _, s := range segments {
		u += "/" + address.Segment(addressed(s))
	}
	return u
}

// MaxName is how many bytes a name has at most that stands in an address. The names
// of files, which Wave makes of them, are shorter.
const MaxName = 512

// addressed is a name as it stands in an address. One that no address holds leads
// to a page that says it does not exist, rather than make every link as long.
func addressed(name string) string {
	const kept = 80
	if len(name) <= MaxName {
		return name
	}
	return strings.ToValidUTF8(name[:kept], "") + "…"
}

// Named is a run as [RunPattern] stands for it: the scripts put it, escaped, in
// the addresses that are made for that.
func (p Paths) Named(run string) string { return address.Encode(addressed(run)) }

// RunPattern stands in an address for the run that a script puts there.
const RunPattern = "{run}"

// Runs is the run list narrowed by q.
func (p Paths) Runs(q url.Values) string { return withQuery(p.at("runs"), q) }

// Run is one run's page.
func (p Paths) Run(id string) string { return p.at("runs", id) }

// RunExport is a run as one file.
func (p Paths) RunExport(id string, q url.Values) string {
	return withQuery(p.at("runs", id, "export"), q)
}

// RunPart is a fragment of a run's page: head, gates, why, steps, outcomes, events, artifacts, family.
func (p Paths) RunPart(id, part string) string { return p.at("runs", id, "parts", part) }

// Gates are the gates that a run waits at, on its page.
func (p Paths) Gates(run string) string { return p.Run(run) + "#gates" }

// GateAnswer is where a gate of a run is answered.
func (p Paths) GateAnswer(run, step string) string {
	return p.at("runs", run, "gates", step, "answer")
}

// RunTab is one of a run's pages: timeline, graph, log.
func (p Paths) RunTab(id, tab string) string { return p.at("runs", id, tab) }

// Log is a run's log, or with part a fragment of it: block, end.
func (p Paths) Log(id, part string, q url.Values) string {
	if part == "" {
		return withQuery(p.at("runs", id, "log"), q)
	}
	return withQuery(p.at("runs", id, "log", part), q)
}

// LogText is a run's log as a file.
func (p Paths) LogText(id string, q url.Values) string {
	return withQuery(p.at("runs", id, "log.txt"), q)
}

// Artifact is the page of one output of a run.
func (p Paths) Artifact(run, step, name string) string {
	return p.at("runs", run, "artifacts", step, name)
}

// ArtifactRaw is all of an output as it is.
func (p Paths) ArtifactRaw(run, step, name string, q url.Values) string {
	return withQuery(p.at("api", "runs", run, "artifacts", step, name), q)
}

// RunEvents is the page of a run whose events end before, or start after, an event id.
func (p Paths) RunEvents(id, direction string, event int64) string {
	return p.at("runs", id) + "?" + direction + "=" + strconv.FormatInt(event, 10) + "#events"
}

// Search looks for words in all runs and their events.
func (p Paths) Search(q url.Values) string { return withQuery(p.at("search"), q) }

// APISearch is the same for programs.
func (p Paths) APISearch(q url.Values) string { return withQuery(p.at("api", "search"), q) }

// SearchIndex is a fragment: how much of all events is indexed. The page it stands
// on searches for a text.
func (p Paths) SearchIndex(text string) string {
	if text == "" {
		return p.at("search", "index")
	}
	return withQuery(p.at("search", "index"), query("q", text))
}

// SearchRebuild is where the index is told to be rebuilt.
func (p Paths) SearchRebuild() string { return p.at("search", "rebuild") }

// As is the address of a page in a form: txt, md, json, csv, ndjson, log. Page is
// an address of Paths without a query.
func (p Paths) As(page, form string, q url.Values) string {
	return withQuery(page+"."+form, q)
}

// Attention is the list of what needs a human.
func (p Paths) Attention() string { return p.at("attention") }

// AttentionCount is the entry of the navigation on the pages of a section.
func (p Paths) AttentionCount(section string) string {
	if section != "attention" {
		return p.at("attention", "count")
	}
	return p.at("attention", "count") + "?here=1"
}

// AttentionSeen is where failures are marked as looked at.
func (p Paths) AttentionSeen() string { return p.at("attention", "seen") }

// Pipelines is the pipeline list.
func (p Paths) Pipelines() string { return p.at("pipelines") }

// Pipeline is one pipeline's page.
func (p Paths) Pipeline(name string) string { return p.at("pipelines", name) }

// Start is where a pipeline is started, with what q fills in; without a name one is chosen there.
func (p Paths) Start(pipeline string, q url.Values) string {
	if pipeline == "" {
		return withQuery(p.at("start"), q)
	}
	return withQuery(p.at("pipelines", pipeline, "start"), q)
}

// StartPreview is a fragment: what the start that is filled in would do.
func (p Paths) StartPreview(pipeline string) string {
	return p.at("pipelines", pipeline, "start", "preview")
}

// RunAction is where a run is stopped (cancel), started again (retry) or taken up (resume).
func (p Paths) RunAction(id, action string, q url.Values) string {
	return withQuery(p.at("runs", id, action), q)
}

// PipelineTrends is the part of a pipeline's page that says how its last runs did.
func (p Paths) PipelineTrends(name string) string { return p.at("pipelines", name, "trends") }

// RunAt is one run's page as of an event.
func (p Paths) RunAt(id string, event int64) string {
	return p.at("runs", id) + "?at=event%3A" + strconv.FormatInt(event, 10)
}

// BulkRehearsal is where an action on many runs is rehearsed.
func (p Paths) BulkRehearsal() string { return p.at("runs", "bulk") }

// Bulk is how far an action on many runs has come; without an id one is begun there.
func (p Paths) Bulk(id string) string {
	if id == "" {
		return p.at("bulk")
	}
	return p.at("bulk", id)
}

// BulkStop gives up what is left of it.
func (p Paths) BulkStop(id string) string { return p.at("bulk", id, "stop") }

// Personas is the persona list.
func (p Paths) Personas() string { return p.at("personas") }

// Persona is one persona's page.
func (p Paths) Persona(name string) string { return p.at("personas", name) }

// Login is the sign-in page, which goes on to next.
func (p Paths) Login(next string) string {
	if next == "" {
		return p.at("login")
	}
	return withQuery(p.at("login"), query("next", next))
}

// Logout is where signing out is posted to.
func (p Paths) Logout() string { return p.at("logout") }

// Audit is the log of what people did, narrowed by q.
func (p Paths) Audit(q url.Values) string { return withQuery(p.at("audit"), q) }

// Health is how the console and what it reads fare.
func (p Paths) Health() string { return p.at("health") }

// APIHealth is the same as JSON.
func (p Paths) APIHealth() string { return p.at("api", "health") }

// Keys is the page of all keys.
func (p Paths) Keys() string { return p.at("help", "keys") }

// Palette finds a command, a page, a pipeline or a run by some words.
func (p Paths) Palette(words string) string {
	q := url.Values{}
	if words != "" {
		q.Set("q", words)
	}
	return withQuery(p.at("palette"), q)
}

// PaletteRuns is the part of the palette that the server finds.
func (p Paths) PaletteRuns() string { return p.at("palette", "runs") }

// Settings is the page of what a reader chooses.
func (p Paths) Settings() string { return p.at("settings") }

// APIRun is one run as JSON.
func (p Paths) APIRun(id string) string { return p.at("api", "runs", id) }

// Command is the page of commands; with q it leads to where that command goes.
func (p Paths) Command(q url.Values) string { return withQuery(p.at("cmd"), q) }

// View is a saved view, or with action where it is changed; without an id all of them.
func (p Paths) View(id, action string) string {
	switch {
	case id == "":
		return p.at("views")
	case action == "":
		return p.at("views", id)
	default:
		return p.at("views", id, action)
	}
}

// Webhook is where a view sends word to, or with action where that is changed: remove, test, again.
func (p Paths) Webhook(view, action string) string {
	if action == "" {
		return p.at("views", view, "hook")
	}
	return p.at("views", view, "hook", action)
}

// Complete answers how a filter or a command may go on.
func (p Paths) Complete(q url.Values) string { return withQuery(p.at("complete"), q) }

// API is where the JSON forms begin.
func (p Paths) API() string { return string(p) + "/api/" }

// Events is the live stream about topic, going on after cursor.
func (p Paths) Events(topic, cursor string) string {
	q, _ := url.ParseQuery(topic)
	if cursor != "" {
		q.Set("after", cursor)
	}
	return withQuery(p.at("events"), q)
}

// ParsePaths reads a prefix with or without its outer slashes. It becomes a part
// of every link, so that it may hold only what needs no escaping anywhere.
func ParsePaths(path string) (Paths, error) {
	trimmed := strings.Trim(path, "/")
	if trimmed == "" && len(path) <= 1 {
		return "", nil
	}
	normal := "/" + trimmed
	if len(path) > 200 || !plainPath.MatchString(normal) || strings.HasPrefix(path, "//") || strings.HasSuffix(path, "//") {
		return "", errors.New("not a plain path such as /deck")
	}
	return Paths(normal), nil
}

var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$`)

// Share is the page that helps to show a run or a pipeline ("runs/7f3a") elsewhere.
func (p Paths) Share(of string, q url.Values) string {
	if of == "" {
		return p.at("share")
	}
	all := url.Values{"of": {of}}
	maps.Copy(all, q)
	return withQuery(p.at("share"), all)
}

// OEmbed says how to show an address of the console elsewhere.
func (p Paths) OEmbed(address string) string {
	return withQuery(p.at("oembed"), url.Values{"url": {address}, "format": {"json"}})
}

// EmbeddingGuide says how to show parts of the console elsewhere.
func (p Paths) EmbeddingGuide() string { return p.at("help", "embedding") }

// EmbedTheme is the stylesheet that sets the theme variables of vars, a query.
func (p Paths) EmbedTheme(vars string) string { return p.at("embed", "v1", "theme.css") + "?" + vars }

// Compare is the page of two runs side by side; right may be empty, or
// last-green: the run is chosen then.
func (p Paths) Compare(left, right string) string {
	q := url.Values{}
	if left != "" {
		q.Set("left", left)
	}
	if right != "" {
		q.Set("right", right)
	}
	return withQuery(p.at("compare"), q)
}

func withQuery(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	short := make(url.Values, len(q))
	for key, values := range q {
		for _, value := range values {
			if len(value) > maxQueryValue {
				value = addressed(value)
			}
			value = address.EncodeField(key, value)
			short.Add(key, value)
		}
	}
	return path + "?" + short.Encode()
}

// maxQueryValue is more than any filter has that the console reads.
const maxQueryValue = 8 << 10

// Signed is a resource of "embed" or "fragments" with a token that opens it.
func (p Paths) Signed(form, token, resource string) string {
	return string(p) + "/" + form + "/v1/t/" + token + "/" + resource
}
