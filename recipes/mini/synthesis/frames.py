"""The sentences around the words: how people ask for sounds, join them and rule them out.

`{}` takes a noun phrase ("a dog barking"), `{A}`, `{B}` one of several. In exclusions `{b}` takes
one without its article ("no dog barking"); in `WHILE` and `STATED` `{s}` takes a clause.
"""

CAPTIONS = (
    "{}", "{}", "{}", "the sound of {}", "sound of {}", "the sounds of {}", "a recording of {}",
    "a recording of {} outdoors", "a recording of {} indoors", "{} is heard", "{} can be heard",
    "we hear {}", "you can hear {}", "{} in the background", "{} nearby", "{} somewhere",
    "{} in the distance", "distant {}", "{} outside", "{} up close", "{} at night",
    "the noise of {}", "a clip of {}", "an audio clip of {}", "field recording of {}",
    "{} recorded with a phone", "there is {}", "this is {}", "this is a sound of {}",
    "listen to {}", "a sample of {}", "{} in a quiet place", "{} in a room",
    "the noise made by {}", "{} all the time", "a loud sound of {}", "a quiet sound of {}",
    "{}, recorded live", "ambience with {}",
)  # fmt: skip

QUESTIONS = (
    "can you find audio of {}?", "can you find {}?", "can you find a recording of {}?",
    "do you have {}?", "do you have a sound of {}?", "is there a recording of {}?",
    "is there any clip with {}?", "are there any sounds of {}?", "where can i hear {}?",
    "where is {}?", "what does {} sound like?", "could you play {}?", "can i get {}?",
    "which recording contains {}?", "which clip features {}?", "what sounds like {}?",
    "have you got {}?", "can we hear {} somewhere?", "could you show me clips of {}?",
    "would you find {} for me?", "in which clip is there {}?", "how does {} sound?",
    "is {} in the library?", "any recordings of {}?", "who has recorded {}?",
    "can you locate audio of {}?", "what audio has {}?", "may i listen to {}?",
)  # fmt: skip

COMMANDS = (
    "find {}", "find me {}", "find audio of {}", "find a clip of {}", "find clips with {}",
    "search for {}", "search {}", "play {}", "play me {}", "play the sound of {}", "locate {}",
    "locate sound of {}", "locate audio with {}", "get {}", "get me {}", "show me {}",
    "show all recordings of {}", "give me {}", "give me a sample of {}", "retrieve {}",
    "retrieve audio containing {}", "look for {}", "fetch {}", "i want to hear {}", "i need {}",
    "i need {} for my project", "i need a sound effect of {}", "i would like to hear {}",
    "let me hear {}", "please find {}", "please play {}", "download {}", "list clips of {}",
    "looking for {}", "i'm looking for {}", "we want {} for a film", "need {} for a game",
    "return sounds of {}", "pick a recording of {}", "bring up {}", "help me find {}",
    "i am searching for {}", "send me {}", "filter for {}", "select {}", "just {}, please",
)  # fmt: skip

PARAPHRASES = (
    "audio of {}", "audio where {} can be heard", "audio featuring {}", "audio features {}",
    "audio with {}", "something like {}", "something that sounds like {}", "someone recorded {}",
    "an example of {}", "a scene with {}", "a soundscape with {}", "a place where you hear {}",
    "the acoustic signature of {}", "noise from {}", "{} being recorded", "a soundtrack with {}",
    "sound effect: {}", "sfx {}", "{} sound effect", "{} sound", "{} sounds", "{} noise",
    "{} audio", "{} recording", "{} clip", "{} ambience", "stock sound of {}", "the typical {}",
    "what you hear is {}", "mostly {}", "it sounds like {}", "one hears {}", "somebody hears {}",
    "typical noise of {}", "real {}", "the unmistakable sound of {}", "a moment of {}", "loud {}",
    "quiet {}", "faint {}", "clear {}", "a lot of {}", "some {}",
)  # fmt: skip

FRAMES = {
    "caption": CAPTIONS,
    "question": QUESTIONS,
    "imperative": COMMANDS,
    "paraphrase": PARAPHRASES,
}

STATED = (
    "{s}", "{s}", "{s} outside", "{s} nearby", "{s} in the background", "{s} somewhere",
    "audio where {s}", "a clip in which {s}", "you hear that {s}", "a recording made while {s}",
    "{s} loudly", "{s} in the distance", "it sounds as if {s}", "a scene where {s}",
)  # fmt: skip

JOINED = (
    "{A} and {B}", "{A} and {B}", "{A} and {B}", "{A} with {B}", "{A} with {B}", "{A}, {B}",
    "{A} plus {B}", "{A} & {B}", "{A} + {B}", "{A} as well as {B}", "{A} along with {B}",
    "both {A} and {B}", "{A} with {B} present", "{A} including {B}", "{A}, and {B} too",
    "{A} and also {B}", "{A}, also {B}", "{A} in addition to {B}", "{A} containing {B}",
    "{A} but with {B}", "{A} but also {B}", "not only {A} but {B} too", "{A} besides {B}",
    "{A} that includes {B}", "{A} where there is {B}", "{A} plus some {B}", "with {B}, {A}",
    "{A}, with {B} included", "{A} and some {B}", "{A} and any {B}",
    "{A}, {B} can be heard as well",
)  # fmt: skip

TOGETHER = (
    "{A} and {B} at the same time", "{A} and {B} together", "{A} together with {B}",
    "{A} mixed with {B}", "{A} over {B}", "{A} and {B} at once", "{A} during {B}",
    "{A} accompanied by {B}", "{A} combined with {B}", "a mix of {A} and {B}",
    "{A} against a background of {B}", "{A} amid {B}", "{A} overlapping with {B}",
    "simultaneous {A} and {B}", "{A} heard along with {B}", "{A}, all the while {B}",
)  # fmt: skip
WHILE = ("{A} while {s}", "{A} as {s}", "while {s}, {A}", "{A}, and {s}")

THEN = (
    "{A} followed by {B}", "{A}, followed by {B}", "{A} then {B}", "{A}, then {B}",
    "{A} and then {B}", "first {A}, then {B}", "first {A} and afterwards {B}", "{A} before {B}",
    "{B} after {A}", "{B} preceded by {A}", "{A} first, {B} second", "{A}, later {B}",
    "{A} and after that {B}", "it starts with {A} and ends with {B}", "after {A} comes {B}",
    "{A}, next {B}", "{A}, finally {B}", "begins with {A}, continues with {B}",
    "{A}, and subsequently {B}",
)  # fmt: skip

FAR = (
    "{A} with {B} in the distance", "{A} and {B} far away", "{A} with {B} in the background",
    "{A} close by and {B} far off", "{A} over faint {B}", "loud {A} and quiet {B}",
    "{A} in the foreground, {B} in the background", "{A} in front of distant {B}",
    "{A} near the microphone, {B} at a distance", "{A}, quietly {B} behind it",
    "mainly {A}, with {B} faintly audible", "{A} with distant {B}", "{A} up front and {B} behind",
)  # fmt: skip

EXCLUSIONS = (
    "{A} without {B}", "{A} without {B}", "{A} without {B}", "{A} without any {b}",
    "{A}, without {B}", "without {B}, {A}", "{A} but without {B}", "{A} and without {B}",
    "{A} with no {b}", "{A} with no {b}", "{A} and no {b}", "{A}, no {b}", "{A}, and no {b}",
    "no {b}, just {A}", "no {b}, only {A}", "no {b} but {A}", "{A} only, no {b}",
    "just {A}, no {b}", "{A}; no {b} please", "{A}, there is no {b}", "{A} where there is no {b}",
    "{A} where no {b} can be heard", "{A}, yet no {b}", "{A} though no {b}",
    "{A} with no trace of {b}", "{A} not {B}", "{A}, not {B}", "{A} but not {B}",
    "{A} and not {B}", "not {B}, {A}", "{A}, but not with {B}", "{A}, but {B} is not there",
    "{A} that does not have {B}", "{A} that doesn't contain {B}", "{A} not accompanied by {B}",
    "{A}, not mixed with {B}", "{A} minus {B}", "{A} minus the {b}", "{A} except {B}",
    "{A} except for {B}", "{A}, {b} excepted", "{A} lacking {B}", "{A} that lacks {B}",
    "{A} for lack of {B}", "{A} with a lack of {b}", "{A} in the lack of {B}", "{A} free of {B}",
    "{A} free from {B}", "{b} free {A}", "{A}, {b}-free", "{A} devoid of {B}",
    "{A} with {B} absent", "{A}, {B} being absent", "{A} where {B} is absent", "{A}, absent {B}",
    "{B} is absent, {A}", "absent of {B}: {A}", "{A} in which {B} is absent", "exclude {B}, {A}",
    "{A}, exclude {B}", "{A} that excludes {B}", "{A}, {B} excluded", "{A} with {B} excluded",
    "{A} to the exclusion of {B}", "{A} with the exclusion of {B}", "exclude {b} from {A}",
    "{A}, which excludes {B}", "{A} and exclude {B}", "{A} exclude {b}",
    "{A} with the exception of {B}", "{A} omitting {B}", "{A}, omit {B}", "{A} with {B} left out",
    "{A} leaving out {B}", "{A} leave out {B}", "{A} avoiding {B}", "{A}, avoid {B}",
    "{A} missing {B}", "{A} with {B} missing", "{A}, {B} is missing", "{A} with {B} removed",
    "{A}, remove {B}", "{A} rather than {B}", "{A} instead of {B}", "{A} never {B}",
    "{A} with zero {b}", "{A} but zero {b}", "{A} but nothing of {B}", "{A} but never {B}",
    "{A} but lacking {B}", "{A} but free of {B}", "{A}, but {B} is absent",
    "{A} but there is no {b}", "{A} but none of {B}", "{A} but hardly any {b}", "{A} sans {B}",
    "{A} and nothing like {B}", "only {A}, {B} must not be there", "{A}, i do not want {B}",
    "{A}, don't give me {B}", "{A} unaccompanied by {B}", "nothing but {A}, no {b}",
    "{A} alone, without {B}", "neither {B} nor anything else, just {A}", "{A} clean of {B}",
    "{A} -{b}", "{A} NOT {b}",
)  # fmt: skip
"""Both sides stand alone in each other's texts too, so that only the wording tells."""

THREE_JOINED = (
    "{}, {} and {}", "{} and {} and {}", "{}, {}, {}", "{} with {} and {}", "{}, {}, and {}",
)  # fmt: skip
THREE_IN_ORDER = (
    "{}, then {}, then {}", "first {}, then {}, finally {}", "{} followed by {} and {}",
    "{}, followed by {}, followed by {}", "{} before {} and then {}", "{} and then {} and then {}",
)  # fmt: skip
OR_JOINED = ("{A} or {B}", "{A} and {B}", "{A}, {B}")
