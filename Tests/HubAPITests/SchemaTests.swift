import HubCore
import NIOCore
import Testing

@testable import HubAPI

@Suite("Shapes of JSON")
struct SchemaTests {
    private static let schema = Schema.object(
        "Sample", "",
        [
            .required("name", .text(atMost: 5), ""), .optional("count", .integer(minimum: 1, maximum: 9), ""),
            .optional("kind", .words(of: RepositoryKind.self), ""),
            .optional("tags", .array(.text, maximumCount: 2), ""),
            .optional("note", .nullable(.text), ""), .optional("id", .id, ""), .optional("at", .time, ""),
            .optional("detail", .map(.text), ""),
        ])

    @Test(
        "takes what fits",
        arguments: [
            #"{"name":"ada"}"#, #"{"name":"ada","count":9,"kind":"model","tags":["a","b"],"note":null,"id":"7"}"#,
            #"{"name":"","note":"x","at":"2026-01-31T12:00:00Z","detail":{"any key":"x"}}"#,
        ])
    func takes(_ text: String) throws {
        let value = try JSONForm.decode(JSONValue.self, from: ByteBuffer(string: text))
        #expect(Self.schema.complaint(about: value) == nil)
    }

    @Test(
        "names the member that does not fit",
        arguments: [
            (#"{}"#, "“name” is missing."), (#"{"name":1}"#, "“name” is a string, not an integer."),
            (#"{"name":null}"#, "“name” is a string, not null."),
            (#"{"name":"adaada"}"#, "“name” has at most 5 bytes."),
            (#"{"name":"a","count":0}"#, "“count” is at least 1."),
            (#"{"name":"a","count":1.5}"#, "“count” is an integer, not a number."),
            (#"{"name":"a","kind":"film"}"#, "“kind” is one of model, dataset, space, code, not “film”."),
            (#"{"name":"a","tags":["x",2]}"#, "“tags[1]” is a string, not an integer."),
            (#"{"name":"a","tags":["x","y","z"]}"#, "“tags” has at most 2 elements."),
            (#"{"name":"a","id":"x"}"#, "“id” is an id: a number above 0, as text."),
            (#"{"name":"a","at":"yesterday"}"#, "“at” is a time such as 2026-01-31T12:00:00Z."),
            (#"{"name":"a","detail":{"x":1}}"#, "“detail.x” is a string, not an integer."),
            (#"[]"#, "The body is an object, not an array."),
        ])
    func refuses(_ text: String, _ complaint: String) throws {
        let value = try JSONForm.decode(JSONValue.self, from: ByteBuffer(string: text))
        #expect(Self.schema.complaint(about: value) == complaint)
    }

    @Test("a member that is not known is refused with those that are")
    func unknown() throws {
        let complaint = Self.schema.complaint(about: ["name": "a", "nmae": "b"])
        #expect(complaint?.hasPrefix("“nmae” is not known here. Known: name, count") == true)
    }

    private struct Patch: APIModel {
        var note: PatchField<String>
        @OrNull var other: Int? = nil
        static var schema: Schema { .any }
    }

    @Test("a patch tells what is left out from what is null", arguments: ["{}", #"{"note":null}"#, #"{"note":"x"}"#])
    func patch(_ text: String) throws {
        let patch = try JSONForm.decode(Patch.self, from: ByteBuffer(string: text))
        switch (patch.note, text) {
        case (.keep, "{}"), (.clear, #"{"note":null}"#), (.set("x"), _): break
        default: Issue.record("\(patch) from \(text)")
        }
        let again = try JSONForm.text(patch)
        #expect(again == (text == "{}" ? #"{"other":null}"# : text.dropLast() + #","other":null}"#))
    }

    @Test("what is absent is null")
    func null() throws {
        let check = HealthCheckModel.ok("disk", "There is room.")
        #expect(try JSONForm.text(check) == #"{"message":"There is room.","name":"disk","remedy":null,"result":"ok"}"#)
    }
}
