package cli

import (
	"context"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/internal/display"
)

// shown is how the values of a metric read. Without a declared format, numbers
// are shown as they are.
type shown struct{ format *display.Format }

func (s shown) value(v float64) string {
	if s.format == nil {
		return formatNumber(v)
	}
	return display.Value(*s.format, v)
}

// difference of two values, with its sign; percentages in percentage points.
func (s shown) difference(v float64) string {
	if s.format == nil {
		if text := formatNumber(v); v <= 0 {
			return text
		}
		return "+" + formatNumber(v)
	}
	return display.Signed(*s.format, v)
}

// behind is difference in words.
func (s shown) behind(v float64) string {
	text := strings.TrimLeft(s.difference(v), "+-")
	switch {
	case v > 0:
		return text + " behind"
	case v < 0:
		return text + " ahead"
	}
	return text
}

// exact is every digit of v, where value does not show them.
func (s shown) exact(v float64) string {
	if s.format == nil {
		return ""
	}
	return exactNumber(v)
}

// band is "0 … 0.02", or one bound with its sign.
func (s shown) band(lower, upper *float64) string {
	switch {
	case lower != nil && upper != nil:
		return s.value(*lower) + " … " + s.value(*upper)
	case lower != nil:
		return "≥ " + s.value(*lower)
	case upper != nil:
		return "≤ " + s.value(*upper)
	}
	return ""
}

// shownAs is the format that came with an evaluation.
func shownAs(f *gapv1.NumberFormat) shown {
	if f == nil {
		return shown{}
	}
	out := &display.Format{Style: f.GetStyle(), Magnitude: f.GetMagnitude(), Currency: f.GetCurrency()}
	if f.Decimals != nil {
		d := int(f.GetDecimals())
		out.Decimals = &d
	}
	return shown{out}
}

// shownByMetric is the format that a metric declares; currency is the
// organization's.
func shownByMetric(spec map[string]*structpb.Value, currency string) shown {
	f := display.Format{
		Style: spec["format"].GetStringValue(), Magnitude: spec["magnitude"].GetStringValue(),
		Currency: spec["currency"].GetStringValue(),
	}
	if d := numberIn(spec, "decimals"); d != nil {
		n := int(*d)
		f.Decimals = &n
	}
	if f == (display.Format{}) {
		return shown{}
	}
	if f.Currency == "" {
		f.Currency = currency
	}
	return shown{&f}
}

// currency is the organization's, "" for the default.
func (a *app) currency(ctx context.Context, s *moment) (string, error) {
	res, err := a.client().declaration.List(ctx, &declarationv1.ListRequest{Kind: "Organization", Revision: s.GetRevision(), KnownAt: s.GetKnownAt(), MinRevision: s.GetMinRevision(), PageSize: 1})
	if err != nil {
		return "", err
	}
	for _, r := range res.GetResources() {
		return r.GetSpec().GetFields()["currency"].GetStringValue(), nil
	}
	return "", nil
}

// formatOf reads how a metric's values are shown. A metric that is not there
// has no format.
func (a *app) formatOf(ctx context.Context, metric *commonv1.Resource, s *moment) (shown, error) {
	spec := metric.GetSpec().GetFields()
	if spec["format"].GetStringValue() != "currency" || spec["currency"].GetStringValue() != "" {
		return shownByMetric(spec, ""), nil
	}
	currency, err := a.currency(ctx, s)
	return shownByMetric(spec, currency), err
}

// formats reads how the values of every metric are shown.
func (a *app) formats(ctx context.Context, s *moment) (map[string]shown, error) {
	k, err := kindNamed("Metric")
	if err != nil {
		return nil, err
	}
	metrics, _, err := a.list(ctx, k, s)
	if err != nil {
		return nil, err
	}
	currency, err := a.currency(ctx, s)
	if err != nil {
		return nil, err
	}
	out := make(map[string]shown, len(metrics))
	for _, m := range metrics {
		out[m.GetMetadata().GetName()] = shownByMetric(m.GetSpec().GetFields(), currency)
	}
	return out, nil
}
