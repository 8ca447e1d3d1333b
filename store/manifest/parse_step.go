package manifest

func readIterate(f fields) *Iterate {
	if !f.present {
		return nil
	}
	return &Iterate{
		Over:          f.text("over"),
		Mode:          f.text("mode"),
		MaxConcurrent: f.integer("max_concurrent"),
	}
}

func readBranch(f fields) *Branch {
	if !f.present {
		return nil
	}
	b := &Branch{On: f.text("on")}
	cases := f.mapping("cases")
	for _, value := range cases.keys {
		b.Cases = append(b.Cases, BranchCase{Value: value, Pipeline: cases.text(value)})
	}
	return b
}

func readGate(f fields, index int, scope *scope) *Gate {
	if !f.present {
		return nil
	}
	g := &Gate{
		Type:     f.text("type"),
		Prompt:   f.text("prompt"),
		Message:  f.text("message"),
		Timeout:  f.text("timeout"),
		Auto:     f.boolean("auto"),
		Freeform: f.boolean("freeform"),
		Default:  f.text("default"),
	}
	defaultKnown := g.Default == ""
	for _, item := range f.mappings("choices") {
		choice := GateChoice{Label: item.text("label"), Key: item.text("key"), Target: item.text("target")}
		g.Choices = append(g.Choices, choice)
		defaultKnown = defaultKnown || choice.Key == g.Default
		if choice.Target != "_fail" {
			scope.refer(index, "has a choice that leads to", choice.Target, item.lines["target"])
		}
	}
	if len(g.Choices) > 0 && !defaultKnown {
		f.r.problemf(f.lines["default"], "%s: default %s is the key of no choice", f.path, quote(g.Default))
	}
	return g
}

func readAggregate(f fields) *Aggregate {
	if !f.present {
		return nil
	}
	return &Aggregate{From: f.text("from"), Into: f.text("into"), Strategy: f.text("strategy")}
}

func readMatrix(f fields) *Matrix {
	if !f.present {
		return nil
	}
	return &Matrix{
		Type:           f.text("type"),
		ItemsSource:    f.text("items_source"),
		MaxConcurrency: f.integer("max_concurrency"),
		ChildPipeline:  f.text("child_pipeline"),
	}
}

func readEdges(step fields, index int, scope *scope) []Edge {
	var edges []Edge
	for _, item := range step.mappings("edges") {
		edge := Edge{Target: item.text("target"), Condition: item.text("condition")}
		edges = append(edges, edge)
		scope.refer(index, "has an edge to", edge.Target, item.lines["target"])
	}
	return edges
}

func readRetry(f fields, index int, scope *scope) Retry {
	retry := Retry{
		Policy:      f.text("policy"),
		MaxAttempts: f.integer("max_attempts"),
		Backoff:     f.text("backoff"),
		BaseDelay:   f.text("base_delay"),
		MaxDelay:    f.text("max_delay"),
		OnFailure:   f.text("on_failure"),
		ReworkStep:  f.text("rework_step"),
	}
	scope.refer(index, "is reworked by", retry.ReworkStep, f.lines["rework_step"])
	return retry
}

// readContracts reads handover.contracts, and handover.contract only when that
// is empty: Wave never checks both.
func (p *pipelineParser) readContracts(handover fields, index int, scope *scope) []Contract {
	items := handover.mappings("contracts")
	if len(items) == 0 {
		if single := handover.mapping("contract"); single.present {
			items = append(items, single)
		}
	}
	var contracts []Contract
	for _, f := range items {
		c := Contract{
			Type:       f.text("type"),
			Source:     f.text("source"),
			Schema:     f.text("schema"),
			SchemaPath: f.text("schema_path"),
			Command:    f.text("command"),
			MustPass:   f.boolean("must_pass"),
			OnFailure:  f.text("on_failure"),
			MaxRetries: f.integer("max_retries"),
			ReworkStep: f.text("rework_step"),
			Persona:    f.text("persona"),
			Model:      f.text("model"),
		}
		contracts = append(contracts, c)
		scope.refer(index, "is reworked by", c.ReworkStep, f.lines["rework_step"])
		p.personas = appendReference(p.personas, f, "persona", c.Persona)
	}
	return contracts
}

func readOutputs(step fields) []OutputArtifact {
	var outputs []OutputArtifact
	for _, f := range step.mappings("output_artifacts") {
		outputs = append(outputs, OutputArtifact{
			Name:     f.text("name"),
			Path:     f.text("path"),
			Source:   f.text("source"),
			Type:     f.text("type"),
			Required: f.boolean("required"),
		})
	}
	return outputs
}

func readInjections(memory fields) []InjectArtifact {
	var injections []InjectArtifact
	for _, f := range memory.mappings("inject_artifacts") {
		injections = append(injections, InjectArtifact{
			Step:     f.text("step"),
			Pipeline: f.text("pipeline"),
			Artifact: f.text("artifact"),
			As:       f.text("as"),
			Type:     f.text("type"),
			Optional: f.boolean("optional"),
		})
	}
	return injections
}

func readWorkspace(f fields) Workspace {
	return Workspace{Type: f.text("type"), Branch: f.text("branch"), Ref: f.text("ref")}
}
