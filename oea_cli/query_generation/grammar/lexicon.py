"""The English that sound captions are written in: verbs, small words, and words that mean the same.

Written for this grammar, by hand; a word that is not here counts as a noun. Every list is text, so
that adding a word is adding a word.
"""

VERBS_ONLY = frozenset(
    """
    accelerate accompany achieve adjust agitate answer appear applaud approach arrange arrive
    ascend attempt babble bathe become begin belch bellow blare blend boil bounce breathe bring
    broadcast build burn bustle buzz carry cascade catch celebrate chatter chew clap clatter
    clean clear close collect collide come communicate compete conclude consume contain continue
    converse cook create croak crumble crumple crush cycle decrease deliver depart descend dig
    diminish discuss dispense do drag drain drift dry eat echo echoes emit empty enjoy enter
    erupt escape exhale exit explode fade fail fiddle file fill find fire fix fizz fizzle flap
    flicker flow fluctuate flush flutter fly follow fry gallop gather generate get giggle give
    glide gnaw go grind grow gush guzzle handle hang happen harmonize have hear hit hop hover
    howl hurry ignite imitate increase indicate inhale insert jingle jog join jump keep knock
    lap leak leave lift listen load lower make manipulate march melt mess meow mill mix mow move
    mumble murmur neigh occur progress commence hiccup search trail stridulate commentate gust
    bawl shatter thank apply reduce churn twirl rasp cheep bleep woof dry mow chug oink
    open operate overflow pant pass peck perform pick pitter pluck pop position pour practice
    preach prepare press proceed process produce pulsate pump purr push put putter quack quiet
    quieten race rain raise rattle rattle reach recede recite record rejoin relax release remain
    remove repeat resonate resume reverberate rev ride rinse rip rise roar roll rotate rub
    ruffle rumble rummage run rush saw say scrape scratch scream scribble scrub scrunch serve
    set shake sharpen shovel shred shriek shuffle shut signify simmer sing sit sizzle skid slam
    slide slosh slow slurp smash snap sneeze sniffle snore snort socialize sort sound spatter
    speak speed spit splatter splash splutter spray sprinkle sputter squeal squeeze stamp stand
    start stir stomp stop stream stroke strike string struggle strum suck surround sway sweep
    swim swing swirl switch swoosh take talk tear tell throb throw thud thump tickle tighten
    tinker touch transition travel trickle trot tweet twist twitter type unlock unwrap use utter
    vary veer vibrate vocalize wail walk wander wash watch wave wear whimper whinny wipe work
    wrap write yelp zip zoom sew snip crinkle crackle warble bray hoot gurgle crunch squish
    squelch sniff gasp laugh cheer shout yell cry sob weep whisper moan groan grunt growl snarl
    bark trim carve chop peel drill hammer sand weld screw unscrew hail thunder drizzle sleet
    cease halt idle intensify lessen soften subside quicken strengthen weaken overlap alternate
    interrupt emanate reflect resemble conduct play beat change try seem sleep bang tap click
    clink clank clang clack rustle swish hiss hum whir whirr whine whistle ring chime toll tick
    beep bleep honk toot blow spin turn tune skip step stack stroll whiz whizz whoosh rock ping
    pound pat pull drop drip fall caw coo crow cluck cackle gobble baa bleat moo chirp burp
    cough drum stutter stammer crack creak squeak screech scuff clip snip swipe swat wade wheeze
    plop plunk bubble fizz boom burst blast crash smack slap thwack bump rap clunk clop jangle
    tinkle ding dong dial call race cruise taxi drive pass park steer brake bellow boo chant
    hymn coo giggle chuckle snicker chat argue debate lecture recite narrate announce comment
    yodel gargle swallow gulp sip drink munch lick bite snack feed graze peck nibble flip fold
    crease pile toss tumble trample tread trudge wobble zap buff polish scour mop squawk hollow
    resound reappear dissipate squirt spurt ooze drool rotate crank unwind hunt chase fight
    punch kick shoot reload cock fart howl
    """.split()
)
"""Base forms; in a caption these are verbs where a verb may stand."""

NEVER_NOUNS = frozenset(
    """
    speak talk sing make become go come say hear begin bring appear accelerate accompany achieve
    applaud arrive ascend breathe build communicate compete conclude consume contain continue
    converse create deliver depart descend dig discuss eat emit enjoy enter erupt exhale explode
    follow gather generate get give grow happen have imitate include inhale intensify keep leave
    let lower move occur operate perform pour proceed produce put reach receive remain remove
    resonate reverberate seem sit stand take tell throw travel unlock vary vibrate vocalize walk
    wear write be do clear close empty tighten soften lessen weaken quieten deepen boil crumple
    chew stutter whinny
    """.split()
)
"""Verbs whose present tense is no noun: "speaks" makes a clause; "barks" may be a noun as well."""

IRREGULAR = {
    "be": "was been being",
    "become": "became become",
    "begin": "began begun",
    "bite": "bit bitten",
    "blow": "blew blown",
    "break": "broke broken",
    "bring": "brought brought",
    "build": "built built",
    "burn": "burnt burnt",
    "catch": "caught caught",
    "come": "came come",
    "cut": "cut cut",
    "dig": "dug dug",
    "do": "did done",
    "drink": "drank drunk",
    "drive": "drove driven",
    "eat": "ate eaten",
    "fall": "fell fallen",
    "feed": "fed fed",
    "fight": "fought fought",
    "find": "found found",
    "fly": "flew flown",
    "get": "got gotten",
    "give": "gave given",
    "go": "went gone",
    "grind": "ground ground",
    "grow": "grew grown",
    "hang": "hung hung",
    "have": "had had",
    "hear": "heard heard",
    "hit": "hit hit",
    "hold": "held held",
    "keep": "kept kept",
    "leave": "left left",
    "make": "made made",
    "put": "put put",
    "ride": "rode ridden",
    "ring": "rang rung",
    "rise": "rose risen",
    "run": "ran run",
    "say": "said said",
    "set": "set set",
    "shake": "shook shaken",
    "shoot": "shot shot",
    "shut": "shut shut",
    "sing": "sang sung",
    "sit": "sat sat",
    "sleep": "slept slept",
    "slide": "slid slid",
    "speak": "spoke spoken",
    "spin": "spun spun",
    "spit": "spat spat",
    "split": "split split",
    "spread": "spread spread",
    "stand": "stood stood",
    "strike": "struck struck",
    "string": "strung strung",
    "sweep": "swept swept",
    "swim": "swam swum",
    "swing": "swung swung",
    "take": "took taken",
    "tear": "tore torn",
    "tell": "told told",
    "throw": "threw thrown",
    "wear": "wore worn",
    "weep": "wept wept",
    "wind": "wound wound",
    "write": "wrote written",
}
MORE_VERBS = frozenset(IRREGULAR) - {"be", "wind"}
DOUBLING = frozenset({"begin", "emit", "occur", "omit", "rev"})

ADVERBS = frozenset(
    """
    again also almost already always away back barely briefly closely constantly down even
    eventually ever far faster finally forth forward further here highly inside just later
    louder lower nearby near never next now off often on once only out outside over overhead
    quite quieter slower softer sometimes somewhat soon still then there through throughout
    together too twice up upwards very well along around past by apart aside outdoors indoors
    """.split()
)
"""Beside all words in -ly."""
NOT_ADVERBS = frozenset(
    {"fly", "elderly", "friendly", "family", "assembly", "belly", "jelly", "early", "july"}
)

DETERMINERS = frozenset(
    """
    a an the this that these those some any no each every another other his her its their my our
    your several many multiple few various numerous all both one two three four five six more
    most
    """.split()
)
ARTICLES = frozenset({"a", "an", "the"})
PREPOSITIONS = frozenset(
    """
    of in on at by with from into onto over under through during near against around between
    among amongst across along behind beside below above beneath toward towards to for like
    inside outside within without upon besides plus off down up past about amid amidst alongside
    throughout beyond via
    """.split()
)
CONJUNCTIONS = frozenset(["and", "or", "nor", "but", "yet", "plus", "then"])
SUBORDINATORS = frozenset(
    """
    as while whilst when whenever until before after because since although though if where
    """.split()
)
RELATIVES = frozenset(["that", "which", "who", "whose", "whom"])
OPENERS = tuple(
    tuple(opener.split())
    for opener in """
    listen to
    you can hear that
    you can hear
    you hear that
    you hear
    we can hear
    we hear
    one can hear
    it sounds as if
    it sounds like
    this is
    this sounds like
    audio where
    audio of
    a clip where
    a clip in which
    a clip of
    a scene where
    a recording where
    a recording of
    a field recording of
    field recording of
    recording of
    there is the sound of
    there is
    there are
    there was
    there were
    """.strip().split("\n")
)
"""What some captions begin with instead of the sound."""
BROADER = {
    "vehicle": "bus truck motorcycle train van tractor boat",
    "animal": "dog cat bird horse cow sheep goat pig duck rooster frog insect",
    "bird": "pigeon duck rooster crow owl seagull chicken goose sparrow canary robin",
    "insect": "bee fly cricket cicada mosquito grasshopper",
    "machine": "engine saw drill vacuum mower printer",
    "water": "rain stream wave river waterfall ocean",
    "instrument": "guitar piano drum trumpet violin",
    "speak": "speech conversation voice announce shout yell whisper",
    "voice": "speak yell sing man woman",
    "engine": "motorcycle truck car bus",
    "music": "guitar piano drum band song",
    "crowd": "people",
}
"""What a word takes in: who excludes all vehicles excludes the bus as well."""
COUNTED = frozenset(
    """
    man woman male female person child baby boy girl kid infant adult lady crowd audience dog
    cat bird horse cow sheep goat pig duck rooster crow owl frog car truck bus train motorcycle
    motorbike vehicle boat motorboat helicopter airplane plane jet engine motor machine saw
    chainsaw drill door bell horn siren alarm clock toilet phone telephone keyboard faucet
    hammer typewriter puppy terrier gun speaker whistle sprayer printer tractor ambulance
    lawnmower
    """.split()
)
"""Things that take an article, which terse captions leave out: "man speaks"."""
FOLLOWED = frozenset({"followed", "accompanied", "preceded"})
PRONOUNS = frozenset(
    """
    i you he she it we they me him us them himself herself itself themselves someone somebody
    something anyone anything everyone everything nobody nothing who what there
    """.split()
)
SUBJECT_PRONOUNS = frozenset(
    """
    i you he she it we they there
    """.split()
)
BE = frozenset(
    """
    is are was were be been being am
    """.split()
)
FINITE_BE = frozenset(["is", "are", "was", "were"])
AUXILIARIES = FINITE_BE | frozenset(
    """
    am has have had do does did can could will would shall should may might must cannot can't
    isn't don't doesn't won't it's
    """.split()
)
SHORT_FORMS = frozenset(
    """
    it's there's someone's he's she's isn't aren't doesn't don't can't
    """.split()
)

PLURALS = {
    "people": "person",
    "men": "man",
    "women": "woman",
    "children": "child",
    "geese": "goose",
    "feet": "foot",
    "teeth": "tooth",
    "mice": "mouse",
    "knives": "knife",
    "leaves": "leaf",
    "wolves": "wolf",
    "hooves": "hoof",
    "sheep": "sheep",
    "cattle": "cattle",
    "police": "police",
}
UNCOUNTED = frozenset(
    """
    rain water wind thunder music static traffic snow hail fire food oil silence speech laughter
    applause gunfire rainfall air gravel steam metal wood glass noise machinery grass paper ice
    sand plastic gas smoke feedback chatter equipment liquid sizzling silverware cutlery
    electricity weather lightning ambience ambiance thunderstorm surf dirt mud typing whistling
    laughing jewelry interference conversation grease ventilation fabric cloth soil hay leather
    fur electricity percussion metalwork echo ambient air-conditioning cellophane styrofoam foil
    dust clothing surf shuffling
    """.split()
)

ADJECTIVES = frozenset(
    """
    loud quiet soft heavy light strong gentle faint distant nearby high low deep big large small
    little tiny huge long short fast slow quick rapid rhythmic steady constant continuous brief
    repeated repetitive intermittent occasional various several multiple different same similar
    busy crowded empty wet dry hard hollow sharp muffled distorted young old elderly wooden
    metallic electric electronic electrical mechanical musical outdoor indoor high-pitched
    low-pitched squeaky creaky noisy rough smooth harsh shrill bright dull dark calm windy rainy
    stormy full open closed single double second third first last whole other solid powerful
    intense light thick thin eerie strange weird clear crisp mid-size public natural ambient
    deep-voiced great separate numerous rocky sandy grassy shallow bad good rapid repeating
    irregular sudden
    """.split()
)

LIGHT_WORDS = frozenset(
    """
    sound sounds audio noise noises recording recordings clip clips background foreground
    distance thing things something kind type form way sort lot bit place time times series
    amount number presence other another different very more most such same also together then
    followed follow following along well find hear heard audible somewhere someone somebody
    person people produce producing feature features featuring make makes making made being get
    gets getting any one
    """.split()
)
"""Words that say little about a sound: dropping or adding one changes no content."""

RELATED = {
    "speech": "speak",
    "speeches": "speak",
    "speaker": "speak",
    "laughter": "laugh",
    "echoey": "echo",
    "echoing": "echo",
    "gunfire": "gunshot",
    "conversation": "converse",
    "conversations": "converse",
    "explosion": "explode",
    "explosions": "explode",
    "applause": "applaud",
    "rainfall": "rain",
    "raindrops": "rain",
    "rainstorm": "rain",
    "vibration": "vibrate",
    "vibrations": "vibrate",
    "announcement": "announce",
    "operation": "operate",
    "movement": "move",
    "traveling": "travel",
    "travelling": "travel",
    "railway": "railroad",
    "metallic": "metal",
    "electronic": "electric",
    "electrical": "electric",
    "electricity": "electric",
    "mechanical": "machine",
    "machinery": "machine",
    "musical": "music",
    "windy": "wind",
    "rainy": "rain",
    "noisy": "noise",
    "high-pitched": "pitch",
    "pitched": "pitch",
    "lightly": "light",
    "gently": "gentle",
    "quietly": "quiet",
    "crunchy": "crunch",
    "squeaky": "squeak",
    "creaky": "creak",
    "static": "static",
}
"""Other words of one family, beside what endings tell."""

SYNONYMS = tuple(
    tuple(group.strip().split("/"))
    for group in """
    talk/speak/chat
    fire/campfire/bonfire
    shout/yell
    kid/child
    vehicle/automobile/car
    engine/motor
    loud/noisy
    loudly/noisily
    quickly/rapidly/swiftly
    slowly/gradually
    continuously/constantly/steadily/nonstop
    continuous/constant/steady
    repeatedly/repetitively
    quietly/softly
    begin/start
    small/little
    large/big
    near/close
    several/multiple/many/numerous
    rain/rainfall
    stop/cease
    street/road
    forest/woods
    baby/infant
    crowd/audience
    plane/airplane/aircraft
    ocean/sea
    kick/boot
    fast/quick/rapid
    man/male
    woman/female/lady
    gunshot/gunfire
    intermittently/occasionally/periodically
    tap/knock
    second/additional/another/additionally/other/extra
    burp/belch/eructation
    bang/slam
    motorcycle/motorbike
    faintly/softly
    brief/short
    briefly/shortly
    telephone/phone
    clap/applaud
    weep/cry
    rock/stone
    footstep/step
    device/machine
    faucet/tap
    """.strip().split("\n")
)
"""Words that may stand for each other when a query is compared with a caption."""
