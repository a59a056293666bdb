import Foundation
import HubCore
import Testing

/// What hf-xet 1.8.0 sent for contents that are made here: recorded by a server that kept each body.
struct XetVector: Sendable, CustomTestStringConvertible {
    let name: String
    let content: [UInt8]
    let file: String
    let xorb: String
    /// The check of its one term.
    let check: String

    var testDescription: String { name }

    static let noise = XetVector(
        name: "4 MB of noise", content: XetContent.noise(4_000_000, seed: 1),
        file: "0dc876c8b774d00d2d9a085f6383a85c609bfa1b6bb98225d58ef3fdc2339e5c",
        xorb: "4e27ff6f59606293b47214eab2663169230b2044bc71210fd0536e5272c30872",
        check: "5665e728b4682bf4c6de5ee23427e41b8751fa5e61544d46de4e9d62cafcc2a1")
    static let one = XetVector(
        name: "one chunk", content: XetContent.noise(5000, seed: 2),
        file: "75b3e1d41a5364e15dd31be4e4a5f1bc03adfedb8df5e9e874380d99b12b446c",
        xorb: "9d5a851dc7d30d3950c5b5ddeece6f92d2e9dec6f8fbe68e1bc304cd23b7d206",
        check: "97a29d731396342360da631ec63c794157086f70ea3bf39a15a4009bb95ddf2d")
    static let floats = XetVector(
        name: "floats", content: XetContent.floats,
        file: "73a870371ace41a03d24bebe3df0d4da4907792e4dd1833b0efdf695bbce6fa2",
        xorb: "48f9cde672b2379b70741dfe423ce21fa32589fab30e0719d4acf3dc78e06cf1",
        check: "f1d3d74de6d9ac3a5297e818cab080ce94298e03f2044eafa887de1ba1966a8d")
    static let text = XetVector(
        name: "text", content: XetContent.text,
        file: "f700f52b99962f3b8f136211adce121c6cef79d048d0dd4e4a1b4f59817dc567",
        xorb: "5be627518bcdf786a5344ebdab8a277a0eb4461c18f6edac2394af03e72bf6f4",
        check: "76732ef7cce7a67df90c6334a80d745c7b77a968b2cce8391f4ad89e25c5dab6")
    static let all = [noise, one, floats, text]

    /// The xorb of the floats as it was sent: one chunk of scheme 2.
    static let floatsXorb = bytes(
        """
        AA4MAAITJwAEIk0YYECC/wsAAP9hAKSke6TNe4+kuM1xe4WPmqSuuMPN13H2ewCFCo8Umh+kKa4zuD3DSM1S11xxM/a4ez0Aw4VICs2PUhTXml
        wf4aRmKeyucTP2uHs9AMOFSArNj1IU15pcj3FSMxT217iae1w9HwDhw6SFZkgpCuzNrhkAKv8KH48AceFSwzOkFIX2ZtdIuCmaCnvsXM09rhkA
        gf8KH9ePSAC4cSnhmlIKw3sz7KRcFM2FPfauZhkA/y//Ch971zOP7EikAFy4FHHNKYXhPZr2Uq4KZsMZAP//iv8KH817KdeFM+GPPeyaSPakUg
        CuXAq4ZhTDcRkA/////zT/YngAcHAUcMwUwnAezD0U68KZcEce9cyjPSgUAOvXwq6ZhXBcRzMeCvXhzLijjz0zKB4UCgD16+HXzMK4rqOZj4V6
        cGZcUUc9MygeFAoA9evh18zCuK6jmY/CPbgzriijHpkUjwqFAHr1cOtm4VzXUcxHGQAq/yMFwoA9+rh1M/Cuayjmo2Ee3JlXFNGPTArHhUIAvX
        o49bNwLuuoZiPhnlwZ15RRD8yKRzIAaP9VBWPCIYDePZz6WbgXddQzkfBPrgxryiiH5kWjAmHAHn3cOpn4V7UUc9Ewj+5MqwpoxyaF40KhAF69
        HHrZOJf1VLMRcM8ujOtKqAdmxSOC4UCe/Vy6GXjXNZTzUbAPbswriuhHpmQA4/+5BTRjk8LxIVCAr94OPWycy/oqWYi45xdGdaXUAzNikcHwIE
        9+rt0MPGuayvkoWIe35hVFdKPTAjFhkMDvHk59rNwLOmqZyPgnV4a15RRDc6LRATBgj77uHUx8q9oKOWiYx/cmVYW04xNCcaHQAC9ejr3sHEt6
        qtkIOGeXxvUlVIOz4hFBcKDP/i5djLzrGkp5qNgHN2aVxfQjU4Kx4RBAb57O/Sxci7rqGUh4p9cGNWWUw/MiUYGw4A8+bp3M/CtairnoGEd3pt
        XIAP/a//+CBRw0TGN7k6rC2vEJIThQaICXr8fe9g4lPVVshJyzy+P6EipBWXGIoLjQ5/8XLkZedY2lvNTsAxszSmJ6kanB2PAIIDdPZ36WrsXd
        9QwkPFNrg5qyyuH5EShAWHCHn7fO5v4VLUVcdIyju9PqAhoxSWF4kKjA1+8HHjZOZX2VrMTc8wsjOlJqgZmxyOD4ECc/V26GnrXN5fwULENbc4
        qiutHpARgwSGB3j6e+1u4FHTVMZHyTq8Pa8gohOVFogJiwx9/3DiY+VW2FnLTM4/sTKkJacYmhuNDoABcvR152jqW91ewEHDNLY3qSqsHZ8Qgg
        OFBnf5euxt71DSU8VGyDm7PK4voRKUFYcIigt8/n/hYuRV11jKS80+sDGjJKYXmRqMDY8AcfN05mfpWtxdz0DCM7U2qCmrHJ4fgQKEBXb4eets
        7l/RUsRFxzi6O60uoBGTFIYHiQp7/X7gYeNU1lfJSsw9vzCiI6UWmBmLDI4PcPJz5WboWdtczk/BMrQ1pyiqG50egAGDBHX3eOpr7V7ZAB//+7
        cXkAvT2OvexNBPL//////9KCjpmlsb3J1eDs+AIIDhQZHyUrMTc9Q0lPVVtgZmxyeH6ChYiLjpGUlpmcn6KlqKuusbS3ur3Aw8bJzM/S1djb3u
        Dj5uns7/L1+Pv+AAIDBQYICQsMDg8REhQVFhgZGxweHyEiJCUnKCorLS4wMTM0Njc5Ojs9PkBBQ0RGR0lKTE1PUFJTVVZYWVtcXl9gYmNlZmhp
        a2xub3FydHV3eHp7fX6AgIGCgoOEhYWGh4iIiYqLi4yNjo6PkJGRkpOUlJWWlpeYmZmam5ycnZ6fn6ChoqKjpKWlpqenqKmqqqusra2ur7Cwsb
        Kzs7S1tra3uLm5uru7vL2+vr/AwcHCw8TExcbHx8jJysrLzMzNzs/P0NHS0tPU1dXW19jY2drb29zd3t7f4ODh4uPj5OXm5ufo6enq6+zs7e7v
        7/Dx8fLz9PT19vf3+Pn6+vv8/f3+/wAAAAEBAQICAgMDBAQEBQUFBgYHBwcICAgJCQoKCgsLCwwMDA0NDg4ODw8PEBARERESEhITExQUFBUVFR
        YWFhcXGBgYGRkZGhobGxscHBwdHR0eHh8fHyAgICEhIiIiIyMjJCQlJSUmJiYnJycoKCkpKSoqKisrLCwsLS0tLi4vLy8wMDAxMTEyMjMzMzQ0
        NDU1NjY2Nzc3ODg5OTk6Ojo7Ozs8PD09PT4+Pj8/QEBAQUFBQkJCQ0NERERFRUVGRkdHR0hISElJSkpKS0tLTExMTU1OTk5PT09QUFFRUVJSUl
        NTVFRUVVVVVlZWV1dYWFhZWVlaWltbW1xcXF1dXl5eX19fYGBgYWFiYmJjY2NkZGVlZWZmZmdnZ2hoaWlpampqa2tsbGxtbW1ubm9vb3BwcHFx
        cXJyc3NzdHR0dXV2dnZ3d3d4eHl5eXp6ent7e3x8fX19fn5+f3+AgICAgICBgYGBgYKCgoKCgoODg4ODhISEhISFhYWFhYWGhoaGhoeHh4eHh4
        iIiIiIiYmJiYmKioqKioqLi4uLi4yMjIyMjI2NjY2Njo6Ojo6Pj4+Pj4+QkJCQkJGRkZGRkZKSkpKSk5OTk5OUlJSUlJSVlZWVlZaWlpaWlpeX
        l5eXmJiYmJiYmZmZmZmampqampubm5ubm5ycnJycnZ2dnZ2dnp6enp6fn5+fn6CgoKCgoKGhoaGhoqKioqKio6Ojo6OkpKSkpKWlpaWlpaampq
        amp6enp6enqKioqKipqampqaqqqqqqqqurq6urrKysrKysra2tra2urq6urq+vr6+vr7CwsLCwsbGxsbGxsrKysrKzs7Ozs7S0tLS0tLW1tbW1
        tra2tra2t7e3t7e4uLi4uLm5ubm5ubq6urq6u7u7u7u7vLy8vLy9vb29vb2+vr6+vr+/v7+/wMDAwMDAwcHBwcHCwsLCwsLDw8PDw8TExMTExc
        XFxcXFxsbGxsbHx8fHx8fIyMjIyMnJycnJysrKysrKy8vLy8vMzMzMzMzNzc3Nzc7Ozs7Oz8/Pz8/P0NDQ0NDR0dHR0dHS0tLS0tPT09PT1NTU
        1NTU1dXV1dXW1tbW1tbX19fX19jY2NjY2dnZ2dnZ2tra2trb29vb29vc3Nzc3N3d3d3d3t7e3t7e39/f39/g4ODg4ODh4eHh4eLi4uLi4uPj4+
        Pj5OTk5OTl5eXl5eXm5ubm5ufn5+fn5+jo6Ojo6enp6enq6urq6urr6+vr6+zs7Ozs7O3t7e3t7u7u7u7v7+/v7+/w8PDw8PHx8fHx8fLy8vLy
        8/Pz8/P09PT09PT19fX19fb29vb29vf39/f3+Pj4+Pj5+fn5+fn6+vr6+vv7+/v7+/z8/Pz8/f39/f3+/v7+/v7//////wAAAAAAAAAAAAAAAQ
        EBAQEBAQEBAQECAgICAgICAgICAgMDAwMDAwMDAwMDBAQEBAQEBAQEBAUFBQUFBQUFBQUFBgYGBgYGBgYGBgYHBwcHBwcHBwcHBwgICAgICAgI
        CAgICQkJCQkJCQkJCQoKCgoKCgoKCgoKCwsLCwsLCwtvBAQCABYNAQAVDgEAFg8BABYQAQAWEQEAFhIBABUTAQAWFAEAFhUBABYWAQAWFwEAFh
        gBABUZAQAWGgEAFhsBABYcAQAWHQEAFR4BABYfAQAWIAEAFiEBABYiAQAVIwEAFiQBABYlAQAWJgEAFicBABYoAQAVKQEAFioBABYrAQAWLAEA
        Fi0BABUuAQAWLwEAFjABABYxAQAWMgEAFTMBABY0AQAWNQEAFjYBABY3AQAVOAEAFjkBABY6AQAWOwEAFjwBABY9AQAVPgEAFj8BABZAAQAWQQ
        EAFkIBABVDAQAWRAEAFkUBABZGAQAWRwEAFUgBABZJAQAWSgEAFksBABZMAQAWTQEAFU4BABZPAQAWUAEAFlEBABZSAQAVUwEAFlQBABZVAQAW
        VgEAFlcBABVYAQAWWQEAFloBABZbAQAWXAEAFV0BABZeAQAWXwEAFmABABZhAQAWYgEAFWMBABZkAQAWZQEAFmYBAFtnZ3oAPq8BAQIABrMBDw
        IAJAbpAQ8CAOYF4QIPAgD////1BuUGDwIA/////z1gREREREREAAAAAA==
        """)
    /// The xorb of the text as it was sent: one chunk of scheme 1.
    static let textXorb = bytes(
        """
        AH0BAAHgeQAEIk0YYECCbgEAAHFsaW5lIDAKBwASMQcAEjIHABIzBwASNAcAEjUHABI2BwASNwcAEjgHABI5BwAUMUcAA0gAEzFJABMxSgATMU
        sAEzFMABMxTQATMU4AEzFPABMxUAATMlAAEzJQABMyUAATMlAAEzJQABMyUAATMlAAEzJQABMyUAATMlAAEzNQABMzUAATM1AAEzNQABMzUAAT
        M1AAEzNQABMzUAATM1AAEzNQABM0UAATNFAAEzRQABM0UAATNFAAEzRQABM0UAATNFAAEzRQABM0UAADTwADTgADTQAETAACYwEDSgADSQADSA
        ADRwADRgAPhgH/////////////////////////////////////////////////////////////////////////////////////////////////
        //////////////////////////////////////////////////////////////9uYG5lIDQ5CgAAAAA=
        """)
    /// The shard of the floats as it was sent.
    static let floatsShard = bytes(
        """
        SEZSZXBvTWV0YURhdGEAVWlnRWp7gVeDpb3ZXM3RSqkCAAAAAAAAAAAAAAAAAAAAoEHOGjdwqHPa1PA9vr4kPTuD0U0ueQdJom/Ou5X2/Q4AAA
        DAAQAAAAAAAAAAAAAAmzeycubN+Ugf4jxC/h10cBkHDrP6iSWj8WzgeNzzrNQAAAAAEycAAAAAAAABAAAAOqzZ5k3X0/HOgLDKGOiXUq9OBPID
        jimUjWqWoRveh6gAAAAAAAAAAAAAAAAAAAAAhCDSCg+xe3wqc/kzWAztzuax33fbTVwIi6ELvVig048AAAAAAAAAAAAAAAAAAAAA//////////
        ////////////////////////////////8AAAAAAAAAAAAAAAAAAAAAmzeycubN+Ugf4jxC/h10cBkHDrP6iSWj8WzgeNzzrNQAAAAAAQAAABMn
        AAAAAAAAmzeycubN+Ugf4jxC/h10cBkHDrP6iSWj8WzgeNzzrNQAAAAAEycAAAAAAAAAAAAA//////////////////////////////////////
        ////8AAAAAAAAAAAAAAAAAAAAA
        """)

    private static func bytes(_ base64: String) -> [UInt8] {
        Array(Data(base64Encoded: base64, options: .ignoreUnknownCharacters) ?? Data())
    }
}

/// Contents of the vectors.
enum XetContent {
    static func noise(_ count: Int, seed: UInt64) -> [UInt8] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(state >> 56)
        }
    }

    static var floats: [UInt8] {
        var bytes: [UInt8] = []
        for index in 0..<2500 {
            withUnsafeBytes(of: Float(Double(index) * 0.37).bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
        }
        return bytes + Array("xyz".utf8)
    }

    static var text: [UInt8] { (0..<4000).flatMap { Array("line \($0 % 50)\n".utf8) } }
}
