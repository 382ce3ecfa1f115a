"""What people call the sounds of machines, signals and everyday things."""

from recipes.mini.synthesis.wording import Words

THINGS: dict[str, Words] = {
    "clock tick": Words(
        things=(
            "clock|wall clock|watch|alarm clock|grandfather clock|wrist watch|kitchen clock|"
            "pocket watch|pendulum clock"
        ),
        stuff="a ticking clock|clockwork|the seconds of a clock",
        verbs="tick|tick away|tick slowly|tick tock|beat the seconds",
        noises="tick",
        phrases=(
            "the ticking of a clock|tick tock|ticking|a clock in a quiet room|"
            "the second hand of a clock|the tick of a watch|seconds passing|a ticking stopwatch|"
            "a ticking metronome|a time bomb ticking"
        ),
        clauses=(
            "the seconds tick by|a clock is running|time is ticking away|the clock goes tick tock"
        ),
        tags=(
            "clock|ticking|tick|tick tock|tick-tock|watch|tic tac|seconds|clock tick|clockwork|"
            "pendulum|chronometer"
        ),
    ),
    "helicopter": Words(
        things=(
            "helicopter|chopper|copter|rescue helicopter|police helicopter|military helicopter"
        ),
        stuff=(
            "helicopters|a helicopter overhead|rotor blades|helicopter blades|a helicopter's rotor"
        ),
        verbs="fly|hover|fly over|take off|land|circle|fly past|pass overhead|whir",
        noises="rotor|propeller",
        phrases=(
            "a helicopter flying overhead|spinning rotor blades|chopper blades|"
            "the rotor of a helicopter|a chopper flying by|a helicopter in the sky|"
            "blades chopping the air|a helicopter landing on a roof"
        ),
        clauses=(
            "a helicopter is flying overhead|a chopper passes over|the rotor is spinning|"
            "a helicopter lands"
        ),
        tags=(
            "helicopter|chopper|rotor|aircraft|heli|copter|rotor blades|flying|aviation|"
            "hovering|chop chop|rotary wing"
        ),
    ),
    "chainsaw": Words(
        things="chainsaw|chain saw|power saw|motor saw|petrol saw|gas powered saw",
        stuff="chainsaws|a saw with an engine",
        verbs="cut wood|cut|rev|cut a tree|run|buzz|roar|saw through a trunk",
        noises="engine|motor|buzz",
        phrases=(
            "a chainsaw cutting wood|someone sawing a tree with a chainsaw|cutting down trees|"
            "a tree being felled|sawing logs with a motor|the engine of a chainsaw|"
            "forestry work|a man cutting a tree with a machine"
        ),
        clauses=(
            "someone is cutting down a tree|a tree is being cut|a chainsaw is running|"
            "a man saws wood with a chainsaw"
        ),
        tags=(
            "chainsaw|chain saw|sawing|cutting wood|saw|power tool|tree felling|forestry|"
            "tree cutting|timber|motorised saw|woodcutter"
        ),
    ),
    "car engine": Words(
        things="car|engine|motor|truck|vehicle|car engine|lorry|automobile|bus",
        stuff="traffic|cars|a car starting|a diesel engine|an idling engine",
        verbs="idle|rev|drive|accelerate|drive by|pass by|run|start",
        noises="engine|motor",
        phrases=(
            "a car driving past|an engine running|a car engine revving|a motor idling|"
            "vehicles on the road|the hum of an engine|a truck passing|a car pulling away"
        ),
        clauses="a car drives by|the engine is running|a car is accelerating|a truck goes by",
        tags=(
            "car|engine|motor|vehicle|vroom|vroom vroom|driving|automobile|traffic|auto|idling|road"
        ),
    ),
    "motorcycle": Words(
        things="motorcycle|motorbike|scooter|moped|biker",
        stuff="motorcycles|a motor bike|a dirt bike",
        verbs="rev|ride by|race past|idle|accelerate|roar",
        noises="engine",
        phrases="a motorbike speeding away|a biker on the road|the roar of a motorcycle",
        tags="motorcycle|motorbike|scooter|moped|biker|vroom|revving|two stroke|brap",
    ),
    "airplane": Words(
        things="airplane|plane|jet|aeroplane|airliner|propeller plane",
        stuff="a jet engine|planes|a passenger jet|an aircraft",
        verbs="fly over|take off|land|fly by|pass overhead|fly",
        noises="engine|roar",
        phrases=(
            "a plane overhead|a jet flying past|an airport runway|"
            "the drone of a propeller plane|a jet taking off"
        ),
        tags="airplane|plane|jet|aircraft|airport|flight|aeroplane|aviation|jet engine|turbine",
    ),
    "train": Words(
        things="train|steam train|locomotive|freight train|tram|steam engine",
        stuff="a railway|trains|train wheels|a passing train|the railroad",
        verbs="pass|roll by|rattle past|chug|clatter along|chug along|run on rails",
        noises="clatter",
        phrases=(
            "a train on the tracks|wheels on rails|the clatter of a train|a train passing by|"
            "a steam engine chugging"
        ),
        clauses="a train goes by|the train rattles over the tracks",
        tags=(
            "train|railway|railroad|locomotive|rails|choo choo|clickety clack|chugging|tracks|"
            "subway|metro"
        ),
    ),
    "train whistle": Words(
        things="train whistle|train horn|steam whistle|locomotive whistle|ship horn",
        stuff="a whistling train|a train's horn",
        verbs="blow|sound|hoot|toot|blast",
        noises="blast",
        phrases=(
            "a train blowing its whistle|a train sounding its horn|the whistle of a steam train|"
            "a fog horn"
        ),
        clauses="a train blows its horn|the locomotive whistles",
        tags=(
            "train whistle|train horn|steam whistle|toot|toot toot|choo choo|whistle of a train|"
            "foghorn|railway signal"
        ),
    ),
    "vacuum cleaner": Words(
        things="vacuum cleaner|vacuum|hoover|hair dryer|blower|fan",
        stuff="vacuuming|an electric motor|a running fan",
        verbs="run|hum|whir|suck up dust|whine",
        noises="hum|motor",
        phrases=(
            "someone vacuuming the carpet|the hum of a vacuum cleaner|cleaning the floor|"
            "a household appliance"
        ),
        clauses="someone is vacuuming|somebody is hoovering the floor",
        tags=(
            "vacuum cleaner|vacuum|hoover|vacuuming|hoovering|cleaning|appliance|hum|"
            "humming motor|housework|dust"
        ),
    ),
    "hammering": Words(
        things="hammer",
        stuff="hammering|a construction site|hammer blows",
        actors="a carpenter|a blacksmith|a builder|workers|someone",
        verbs="hammer|pound nails|hit a nail|hit metal|bang",
        noises="blow",
        phrases=(
            "someone hammering a nail|hammering on metal|building work|"
            "a nail being driven into wood|an anvil"
        ),
        clauses="someone is hammering|a nail is hammered in",
        tags="hammering|hammer|nail|construction|building work|banging|anvil|workshop|bang bang",
    ),
    "sawing": Words(
        things="hand saw|handsaw|wood saw",
        stuff="sawing by hand|hand sawing",
        actors="a carpenter|someone with a handsaw",
        verbs="rasp|saw a board|saw slowly by hand",
        phrases=(
            "someone sawing a plank by hand|the strokes of a hand saw|"
            "cutting a board with a handsaw"
        ),
        clauses="someone saws a plank by hand",
        tags="hand saw|handsaw|sawing by hand|carpentry|woodwork|rasping",
    ),
    "siren": Words(
        things="siren|police siren|ambulance|fire engine|police car|emergency vehicle|fire truck",
        stuff="sirens|an ambulance siren|an air raid siren|emergency sirens",
        verbs="wail|blare|sound|howl|scream|pass by with its siren on",
        noises="siren",
        phrases=(
            "a wailing siren|a police car with sirens|an ambulance rushing past|"
            "emergency services on the way|the siren of a fire engine|an air raid warning"
        ),
        clauses="sirens are wailing|an ambulance drives by|the police are coming",
        tags=(
            "siren|sirens|police|ambulance|emergency|fire engine|nee naw|wee woo|firetruck|"
            "wailing siren|cops"
        ),
    ),
    "church bell": Words(
        things="church bell|bell|big bell|bell tower|temple bell",
        stuff="church bells|bells|the bells of a cathedral",
        verbs="ring|toll|chime|peal|ring out|strike|clang",
        noises="chime|toll",
        phrases=(
            "bells ringing from a church tower|the tolling of a bell|a bell ringing|"
            "a wedding with church bells|the ringing of church bells|a bell striking the hour"
        ),
        clauses="the bells are ringing|a bell tolls|the church bell strikes",
        tags=(
            "bell|bells|church|ringing|chime|tolling|ding dong|bell tower|cathedral|bim bam|"
            "belfry|carillon|dong"
        ),
    ),
    "doorbell": Words(
        things="doorbell|door chime|door bell|door buzzer",
        stuff="someone at the door ringing",
        verbs="ring|chime|buzz|go ding dong",
        noises="chime",
        phrases=(
            "ding dong at the door|the chime of a doorbell|someone ringing the doorbell|"
            "a visitor ringing"
        ),
        clauses="someone rings the doorbell",
        tags="doorbell|ding dong|door chime|bell button|buzzer|visitor",
    ),
    "alarm beeps": Words(
        things="alarm|smoke alarm|alarm signal|beeper|fire alarm|smoke detector|electronic alarm",
        stuff="beeping|alarm beeps|electronic beeps|a beeping machine|a reversing truck",
        verbs="beep|go off|bleep|sound|chirp",
        noises="beep|bleep",
        phrases=(
            "a beeping alarm|an alarm going off|the beeping of a machine|a digital alarm|"
            "a truck backing up|beeps"
        ),
        clauses="an alarm goes off|something is beeping|the smoke detector goes off",
        tags=(
            "alarm|beep|beeping|beep beep|bleep|beeps|warning signal|electronic|alarm beeps|"
            "smoke detector|buzzer alarm"
        ),
    ),
    "car horn": Words(
        things="car horn|horn|truck horn|vehicle horn|bicycle horn",
        stuff="honking|honking cars|a honking car|traffic honking",
        verbs="honk|beep|blow|sound|toot|blare",
        noises="honk",
        phrases=(
            "a car honking its horn|a driver honking|the honk of a car|angry drivers honking|"
            "a car hooting"
        ),
        clauses="a car honks|a driver blows the horn|cars are honking",
        tags=(
            "car horn|honk|honking|horn|honk honk|hooter|tooting|traffic jam|beep of a car|klaxon"
        ),
    ),
    "telephone": Words(
        things="telephone|phone|mobile phone|cell phone|old telephone|cellphone|smartphone",
        stuff="a ringing phone|a ringtone|an incoming call",
        verbs="ring|buzz|play a ringtone|go off",
        noises="ring",
        phrases=(
            "a telephone ringing|a phone call coming in|the ring of a telephone|"
            "an old phone with a bell"
        ),
        clauses="the phone rings|someone is calling|a telephone is ringing",
        tags=(
            "telephone|phone|ringing phone|ring ring|ringtone|phone call|cell phone|rrring|"
            "mobile|call"
        ),
    ),
    "door knock": Words(
        things="knock|door knock",
        stuff="knocking|someone at the door|a knock on the door|knocks",
        actors="someone|a visitor|a fist|a guest|knuckles|a man",
        verbs="knock on the door|knock|bang on the door|rap on wood",
        phrases=(
            "someone knocking on a door|knocking on wood|a fist pounding on a door|"
            "a visitor at the door|rapping"
        ),
        clauses="someone knocks|somebody is knocking at the door|there is a knock",
        tags=(
            "knock|knocking|knock knock|door knock|rapping|toc toc|rat-a-tat|knuckles|knock on wood"
        ),
    ),
    "door": Words(
        things="door|wooden door|gate|old door|hinge",
        stuff="a creaky door|a squeaky hinge|a slamming door",
        verbs="creak|slam|close|open|squeak|shut",
        noises="creak|slam",
        phrases=(
            "a door being shut|a door opening and closing|someone slamming a door|"
            "the creak of a door"
        ),
        clauses="someone shuts the door|a door falls shut|the door is opened",
        tags="door|slam|creak|creaking|door slam|squeaking hinge|closing door|haunted house",
    ),
    "keyboard typing": Words(
        things="keyboard|computer keyboard|typewriter|laptop keyboard",
        stuff="typing|keystrokes|computer keys|someone typing|key presses|typing sounds",
        actors="a typist|a secretary|someone at a computer",
        verbs="clack|click|type|type fast|clatter",
        noises="click|clack",
        phrases=(
            "someone typing on a keyboard|typing on a computer|fingers on a keyboard|"
            "the clatter of a keyboard|an office worker typing|someone writing an email"
        ),
        clauses="someone is typing|a person types on a keyboard|keys are being pressed",
        tags=(
            "keyboard|typing|keys|computer|keystrokes|clickety clack|typewriter|office|"
            "click clack|typist|mechanical keyboard"
        ),
    ),
    "breaking glass": Words(
        things="glass|window|bottle|window pane|vase",
        stuff="broken glass|shattering glass|shards of glass|breaking glass|a smashed window",
        verbs="break|shatter|smash|fall and break|crash",
        noises="crash|smash",
        phrases=(
            "a window being smashed|a glass falling on the floor|the crash of glass|"
            "a bottle breaking|dishes breaking"
        ),
        clauses="someone breaks a window|a glass shatters on the floor|a window breaks",
        tags=(
            "glass|breaking|shatter|smash|crash|shards|shattered|splinter|broken window|tinkle|"
            "burglary"
        ),
    ),
    "coins": Words(
        things="coin|penny",
        stuff="coins|loose change|keys jingling|money|metal coins",
        verbs="jingle|clink|fall on the table|drop|rattle|jangle",
        noises="clink|jingle",
        phrases=(
            "coins dropping on the floor|the jingle of keys|a coin spinning on a table|"
            "counting change"
        ),
        clauses="someone drops coins|coins fall on a table",
        tags="coins|coin|money|jingle|clink|change|cash|keys|jangling|jackpot",
    ),
    "gunshot": Words(
        things="gun|gunshot|rifle|pistol|machine gun|shotgun|shot",
        stuff="gunfire|shots|shooting|gunshots|automatic fire",
        verbs="fire|shoot|go off|bang",
        noises="shot|blast",
        phrases=(
            "a gun being fired|shots in the distance|the crack of a rifle|a burst of gunfire|"
            "someone shooting"
        ),
        clauses="someone fires a gun|shots are fired|a gun goes off",
        tags=(
            "gunshot|gun|gunfire|shooting|bang|rifle|pistol|pew pew|weapon|firearm|machine gun|"
            "shots fired"
        ),
    ),
    "explosion": Words(
        things="explosion|bomb|blast|grenade|detonation",
        stuff="explosions|dynamite|an exploding bomb",
        verbs="explode|go off|blow up|boom|detonate",
        noises="blast|boom",
        phrases=(
            "a bomb going off|a huge blast|something blowing up|a loud boom|"
            "a building being blown up"
        ),
        clauses="something explodes|a bomb goes off",
        tags="explosion|bomb|blast|boom|kaboom|detonation|dynamite|exploding|big bang",
    ),
    "fireworks": Words(
        things="firework|rocket|firecracker",
        stuff="fireworks|a fireworks display|firecrackers|new year's eve",
        verbs="explode|pop|crackle|go off|whistle and bang|bang",
        noises="bang|pop",
        phrases=(
            "rockets on new year's eve|a fireworks show|pyrotechnics|"
            "firecrackers popping in the street"
        ),
        clauses="fireworks are going off|people set off fireworks",
        tags=(
            "fireworks|firework|firecracker|rocket|new year|pyrotechnics|popping|celebration|"
            "fourth of july"
        ),
    ),
    "laser gun": Words(
        things="laser|laser gun|ray gun|blaster",
        stuff="laser shots|science fiction weapons",
        verbs="fire|zap|shoot",
        noises="zap",
        phrases="a space battle|lasers in a video game",
        tags="laser|zap|pew|sci-fi|science fiction|plasma|blaster|space",
    ),
    "gun reload": Words(
        stuff="a gun being reloaded|a gun being cocked|reloading a weapon|a pump action",
        phrases="cocking a pistol|loading a rifle|a magazine clicking into place",
        clauses="someone reloads a gun",
        tags="reload|reloading|cocking a gun|gun cock|magazine|loading a gun",
    ),
    "writing": Words(
        things="pencil|pen|piece of chalk|chalk",
        stuff="writing|someone writing|chalk on a blackboard|handwriting",
        actors="a teacher|a student|someone",
        verbs="write|scribble|scratch on paper|scrawl",
        phrases="a pencil on paper|a teacher writing on a board|scribbling notes",
        clauses="someone is writing",
        tags="writing|pencil|chalk|scribbling|blackboard|scribble|pen on paper",
    ),
}
