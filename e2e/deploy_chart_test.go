package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"

	"go.yaml.in/yaml/v3"
)

// object is a document of a rendered chart.
type object = map[string]any

// renderChart renders the chart with its values, changed by change. It knows the
// functions of Helm that the chart uses; a template that uses another one fails.
func renderChart(t *testing.T, change func(values object)) []object {
	t.Helper()
	const dir = "../deploy/helm/setpoint"
	read := func(name string) (out object) {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = yaml.Unmarshal(text, &out)
		}
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	all := template.New("").Option("missingkey=error")
	toYaml := func(v any) (string, error) {
		b, err := yaml.Marshal(v)
		return strings.TrimSuffix(string(b), "\n"), err
	}
	all.Funcs(template.FuncMap{
		"include": func(name string, data any) (string, error) {
			var b strings.Builder
			err := all.ExecuteTemplate(&b, name, data)
			return b.String(), err
		},
		"nindent": func(n int, s string) string {
			return "\n" + strings.Repeat(" ", n) + strings.ReplaceAll(s, "\n", "\n"+strings.Repeat(" ", n))
		},
		"toYaml": toYaml,
		"quote":  func(v any) string { return fmt.Sprintf("%q", fmt.Sprint(v)) },
		"join": func(sep string, list []any) string {
			out := make([]string, len(list))
			for i, v := range list {
				out[i] = fmt.Sprint(v)
			}
			return strings.Join(out, sep)
		},
		"has": func(v any, list []any) bool { return slices.Contains(list, v) },
		"dict": func(pairs ...any) object {
			out := object{}
			for i := 0; i < len(pairs); i += 2 {
				out[pairs[i].(string)] = pairs[i+1]
			}
			return out
		},
		"default": func(otherwise, v any) any {
			if v == "" {
				return otherwise
			}
			return v
		},
		"add": func(n ...int) (sum int) {
			for _, one := range n {
				sum += one
			}
			return sum
		},
		"int": func(n int) int { return n },
	})
	if _, err := all.ParseGlob(filepath.Join(dir, "templates", "*")); err != nil {
		t.Fatal(err)
	}
	chart, values := read("Chart.yaml"), read("values.yaml")
	change(values)
	var out []object
	for _, one := range all.Templates() {
		if filepath.Ext(one.Name()) != ".yaml" {
			continue
		}
		var b bytes.Buffer
		if err := one.Execute(&b, object{
			"Values": values, "Chart": object{"AppVersion": chart["appVersion"]},
			"Release": object{"Name": "rel", "Namespace": "ns", "Service": "Helm"},
		}); err != nil {
			t.Fatal(err)
		}
		for in := yaml.NewDecoder(&b); ; {
			var o object
			err := in.Decode(&o)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", one.Name(), err)
			}
			if o != nil {
				out = append(out, o)
			}
		}
	}
	return out
}

// at is what lies at a path of an object.
func at(o any, path ...any) any {
	for _, step := range path {
		switch in := o.(type) {
		case object:
			o = in[step.(string)]
		case []any:
			o = in[step.(int)]
		default:
			return nil
		}
	}
	return o
}

// What the chart sets is a flag, what it runs is a part, its Service and its
// budgets select the pods that there are, and every mount has its volume.
func TestChart(t *testing.T) {
	_, said, _ := setpoint(t, nil, "serve", "--target", "none")
	reference, _, _ := setpoint(t, nil, "serve", "--help")
	for name, c := range map[string]struct {
		change  func(object)
		budgets int
	}{
		"as it is": {func(object) {}, 3},
		"all of it": {func(v object) {
			v["tls"].(object)["secret"] = "tls"
			v["nats"].(object)["credsKey"], v["nats"].(object)["caKey"] = "creds", "ca.crt"
			v["database"].(object)["ownerUrlKey"] = "owner-url"
			v["publicUrl"] = "https://setpoint.example"
			v["extraEnv"] = []any{object{"name": "SETPOINT_TRACES", "value": "http://collector:4318"}}
			v["tolerations"] = []any{object{"key": "a"}}
			v["podAnnotations"] = object{"a": "b"}
			v["parts"].(object)["projector"].(object)["replicas"] = 1 // no budget then
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			kinds := map[string][]object{}
			for _, o := range renderChart(t, c.change) {
				kind := o["kind"].(string)
				kinds[kind] = append(kinds[kind], o)
			}
			if len(kinds["Deployment"]) != 3 || len(kinds["Service"]) != 1 || len(kinds["PodDisruptionBudget"]) != c.budgets {
				t.Fatalf("it makes %v", slices.Collect(maps.Keys(kinds)))
			}
			selects := func(selector any) (n int) {
				for _, d := range kinds["Deployment"] {
					labels := at(d, "spec", "template", "metadata", "labels").(object)
					all := true
					for k, v := range selector.(object) {
						all = all && labels[k] == v
					}
					if all {
						n++
					}
				}
				return n
			}
			if n := selects(at(kinds["Service"][0], "spec", "selector")); n != 1 {
				t.Errorf("the Service selects %d parts", n)
			}
			for _, o := range append(slices.Clone(kinds["Deployment"]), kinds["PodDisruptionBudget"]...) {
				if n := selects(at(o, "spec", "selector", "matchLabels")); n != 1 {
					t.Errorf("%s selects %d parts", at(o, "metadata", "name"), n)
				}
			}
			runs, serves := map[string]bool{}, map[string]bool{}
			defer func() { everyTarget(t, said, runs, serves) }()
			for _, d := range kinds["Deployment"] {
				pod := at(d, "spec", "template", "spec")
				container := at(pod, "containers", 0)
				targets, _ := strings.CutPrefix(at(container, "args", 1).(string), "--target=")
				for target := range strings.SplitSeq(targets, ",") {
					runs[target] = true
					if at(d, "spec", "template", "metadata", "labels", "setpoint.dev/serves") == "true" {
						serves[target] = true
					}
					if !regexp.MustCompile(`\b` + target + `\b`).MatchString(said) {
						t.Errorf("it runs %s, which is none of: %s", target, said)
					}
				}
				env := map[string]string{}
				for _, e := range at(container, "env").([]any) {
					variable := at(e, "name").(string)
					env[variable] = at(e, "value").(string)
					flag, ours := strings.CutPrefix(variable, "SETPOINT_")
					flag = "--" + strings.ReplaceAll(strings.ToLower(flag), "_", "-") + " "
					if ours && !strings.Contains(reference, flag) {
						t.Errorf("it sets %s, and serve has no flag %s", variable, flag)
					}
				}
				if _, owner := env["SETPOINT_DATABASE_OWNER_URL"]; owner != (name == "all of it" && targets == "projector") {
					t.Errorf("%s has the owner's URL: %t", targets, owner)
				}
				if (env["SETPOINT_TLS_CERT"] == "") != (env["SETPOINT_BEHIND_PROXY"] == "true") {
					t.Error("it is neither TLS nor behind a proxy")
				}
				volumes := map[any]bool{}
				for _, v := range at(pod, "volumes").([]any) {
					volumes[at(v, "name")] = true
				}
				mounts := at(container, "volumeMounts").([]any)
				for _, m := range mounts {
					if !volumes[at(m, "name")] {
						t.Errorf("the mount %v has no volume", m)
					}
				}
				if len(mounts) != len(volumes) {
					t.Errorf("%d mounts of %d volumes", len(mounts), len(volumes))
				}
				ports := fmt.Sprint(at(container, "ports"))
				for probe, path := range map[string]string{"readinessProbe": "/readyz", "livenessProbe": "/livez"} {
					if at(container, probe, "httpGet", "path") != path || !strings.Contains(ports, at(container, probe, "httpGet", "port").(string)) {
						t.Errorf("%s asks %v", probe, at(container, probe))
					}
				}
			}
		})
	}
}
