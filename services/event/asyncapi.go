package event

import (
	"embed"
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/proto"
)

//go:embed examples
var examples embed.FS

// Example is an event of a public type as it was really published, nil if there is
// none.
func Example(typ string) json.RawMessage {
	b, err := examples.ReadFile("examples/" + typ + ".json")
	if err != nil {
		return nil
	}
	return b
}

// AsyncAPI is the AsyncAPI 3.0 document of the public events
// (https://www.asyncapi.com/docs/reference/specification/v3.0.0): a channel, an
// operation and a message with an example for each type of the catalogue. of makes
// an empty message of an internal type. The same version gives the same bytes.
func AsyncAPI(version string, of func(typ string) proto.Message) ([]byte, error) {
	defined := definitions{"cloudevent": envelope()}
	channels, operations, messages := schema{}, schema{}, schema{}
	for _, e := range catalogue {
		if !e.Public() {
			continue
		}
		m := of(e.Internal)
		if m == nil {
			return nil, fmt.Errorf("%s is registered nowhere", e.Internal)
		}
		name, channel := e.Type(), e.Service()+"."+e.Event()
		message := schema{
			"name": name, "title": name, "summary": e.Says, "contentType": "application/cloudevents+json",
			"payload": schema{"allOf": []schema{
				{"$ref": components + "cloudevent"},
				{"type": "object", "properties": schema{
					"type": schema{"const": name}, "data": defined.message(m.ProtoReflect().Descriptor()),
				}},
			}},
		}
		if example := Example(name); example != nil {
			message["examples"] = []schema{{"name": "published", "payload": example}}
		}
		messages[name] = message
		channels[channel] = schema{
			"address": e.Subject("{organization}"), "title": e.Event(), "summary": e.Says,
			"parameters": schema{"organization": schema{"$ref": "#/components/parameters/organization"}},
			"messages":   schema{name: schema{"$ref": "#/components/messages/" + name}},
			"servers":    []schema{{"$ref": "#/servers/nats"}},
		}
		operations["publish."+channel] = schema{
			"action": "send", "channel": schema{"$ref": "#/channels/" + channel}, "summary": e.Says,
			"messages": []schema{{"$ref": "#/channels/" + channel + "/messages/" + name}},
		}
	}
	if version == "" {
		version = "0"
	}
	return json.MarshalIndent(schema{
		"asyncapi": "3.0.0",
		"info": schema{
			"title": "Setpoint public events", "version": version,
			"description": "CloudEvents 1.0 on the JetStream stream SETPOINT_PUBLIC, replayable from any point. The same events come by " +
				"setpoint.event.v1.EventService/Subscribe (Connect, gRPC) and by webhooks (Standard Webhooks 1.0.0), to the byte. " +
				"A message may come twice: source and id together are its identity. Fields and types are added; ignore those that you do not know.",
		},
		"defaultContentType": "application/cloudevents+json",
		"servers": schema{"nats": schema{
			"host": "127.0.0.1:4222", "protocol": "nats", "description": "The NATS that setpoint runs on; setpoint dev --nats HOST:PORT opens the embedded one.",
		}},
		"channels": channels, "operations": operations,
		"components": schema{
			"messages": messages, "schemas": defined,
			"parameters": schema{"organization": schema{"description": "The organization: a lower-case label."}},
		},
	}, "", "  ")
}

// envelope is the schema of what all events have in common.
func envelope() schema {
	text := func(says string) schema { return schema{"type": "string", "minLength": 1, "description": says} }
	return schema{
		"type":     "object",
		"required": []string{"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "revision", "data"},
		"properties": schema{
			"specversion":     schema{"const": "1.0"},
			"id":              text("shard-sequence-index-type; with source, unique."),
			"source":          text("/setpoint/LOG/ORGANIZATION."),
			"type":            text("The type with its version."),
			"subject":         text("KIND/IDENTITY of what it is about; the identity stays when it is renamed."),
			"time":            schema{"type": "string", "format": "date-time", "description": "When it was recorded."},
			"datacontenttype": schema{"const": "application/json"},
			"revision":        schema{"type": "string", "pattern": "^[0-9]+$", "description": "A place in the log, as the API's min_revision."},
			"principal":       text("Opaque id of who acted."),
			"manager":         text("What acted: cli, git, policy, reconciler."),
			"data":            schema{"type": "object"},
		},
	}
}
