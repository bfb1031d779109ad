package importer

import (
	"bytes"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	"setpoint.dev/services/declaration/manifest"
	"setpoint.dev/services/kinds"
)

// Manifests writes resources as YAML that apply takes. The same resources always
// give the same bytes.
func Manifests(resources []*commonv1.Resource) ([]byte, error) {
	var b bytes.Buffer
	if err := manifest.Encode(&b, kinds.Registry(), resources...); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
