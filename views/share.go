package views

// ShareView helps to show a run or a pipeline in another page.
type ShareView struct {
	Layout
	Of       string // "runs/7f3a"
	What     string // the part in words
	Kind     string
	Kinds    []Option
	Site     string   // origin of the other page; empty: not said
	Sites    []string // those that may
	Snippets []Snippet
	Preview  string // address of the part alone
	Guide    string
}

// Snippet is what to write into another page.
type Snippet struct {
	ID, Title, About string
	Code             string
	Why              string // why it would not work, and what would let it
	Near             string // what else has to hold
}

// GuideView says how to show parts of the console elsewhere, with what to write
// for this console and one of its runs.
type GuideView struct {
	Layout
	Lead     string
	Sections []GuideSection
}

// GuideSection is one way of it.
type GuideSection struct {
	ID, Title string
	Text      []string
	Code      []Snippet
}
