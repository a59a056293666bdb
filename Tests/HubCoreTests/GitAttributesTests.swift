import HubCore
import Testing

@Suite("Patterns of .gitattributes")
struct GitAttributesTests {
    @Test(
        "match as git matches them",
        arguments: [
            ("*.bin", "a.bin", true), ("*.bin", "x/y/a.bin", true), ("*.bin", "a.bins", false), ("*.bin", ".bin", true),
            ("/*.bin", "a.bin", true), ("/*.bin", "x/a.bin", false), ("x/*.bin", "x/a.bin", true),
            ("x/*.bin", "x/y/a.bin", false),
            ("x/*.bin", "z/x/a.bin", false), ("saved_model/**/*", "saved_model/a", true),
            ("saved_model/**/*", "saved_model/a/b/c", true),
            ("saved_model/**/*", "x/saved_model/a", false), ("**/a.txt", "a.txt", true),
            ("**/a.txt", "x/y/a.txt", true),
            ("x/**", "x/a/b", true), ("x/**", "x", false), ("*tfevents*", "runs/events.out.tfevents.1", true),
            ("*.lfs.*", "a.lfs.b", true),
            ("a?c", "abc", true), ("a?c", "a/c", false), ("[a-c]x", "bx", true), ("[!a-c]x", "bx", false),
            ("[]a]x", "]x", true),
            ("my[[:space:]]file.txt", "my file.txt", true), ("my[[:space:]]file.txt", "my-file.txt", false),
            ("\\*.bin", "*.bin", true),
            ("\\*.bin", "a.bin", false), ("[", "[", false), ("a*b*c", "a/b/c", false), ("data/*", "data/x", true),
            ("a**b", "axxb", true),
            ("x/a**b", "x/a/b", false),
        ])
    func matching(_ pattern: String, _ path: String, _ expected: Bool) {
        #expect(AttributePattern(pattern).matches(path) == expected)
    }

    @Test("take no longer for a hostile pattern than the product of the lengths")
    func hostile() {
        let pattern = String(repeating: "*a", count: 200) + "b"
        #expect(!AttributePattern(pattern).matches(String(repeating: "a", count: 2000)))
    }

    @Test("the last line that matches holds, and deeper files count more")
    func precedence() {
        var attributes = GitAttributes()
        attributes.add(
            """
            # comment
            *.bin filter=lfs diff=lfs merge=lfs -text
            small.bin -filter
            *.txt text
            "with space.dat" filter=lfs
            *.crypt filter=git-crypt
            """, in: "")
        attributes.add("*.bin !filter\nraw.txt filter=lfs\n", in: "docs")
        #expect(attributes.isLargeFile("a.bin") && attributes.isLargeFile("x/a.bin"))
        #expect(
            !attributes.isLargeFile("small.bin") && !attributes.isLargeFile("a.txt")
                && !attributes.isLargeFile("a.crypt"))
        #expect(attributes.isLargeFile("with space.dat"))
        #expect(
            !attributes.isLargeFile("docs/a.bin") && attributes.isLargeFile("docs/raw.txt")
                && !attributes.isLargeFile("raw.txt"))
    }

    @Test(
        "a line made for a file matches that file alone",
        arguments: ["a b.dat", "x/[1]*.dat", "#odd", "!odd", "ü/ä.dat", "back\\slash"])
    func lines(_ path: String) {
        var attributes = GitAttributes()
        attributes.add(GitAttributes.line(for: path) + "\n", in: "")
        #expect(attributes.isLargeFile(path))
        #expect(!attributes.isLargeFile("z/" + path) && !attributes.isLargeFile(path + "x"))
    }

    @Test("the hub's own list knows models, and pictures only in datasets")
    func defaults() {
        var model = GitAttributes()
        model.add(LargeFilePatterns.attributes(for: .model), in: "")
        var dataset = GitAttributes()
        dataset.add(LargeFilePatterns.attributes(for: .dataset), in: "")
        for path in ["model.safetensors", "q4.gguf", "onnx/model.onnx", "a.tar.gz", "saved_model/1/variables"] {
            #expect(model.isLargeFile(path) && dataset.isLargeFile(path), "\(path)")
        }
        #expect(
            !model.isLargeFile("logo.png") && dataset.isLargeFile("train/1.png") && !model.isLargeFile("config.json"))
    }
}
