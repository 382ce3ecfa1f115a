"""What people call the sounds of people, machines, signals, things and instruments."""

from recipes.mini.synthesis.wording import Words

PEOPLE: dict[str, Words] = {
    "crying baby": Words(
        things="baby|infant|toddler|little baby|baby boy|baby girl",
        stuff="a crying baby|babies|a hungry baby|an upset infant",
        actors="a small child|a child|a little one",
        verbs="cry|wail|scream|sob|weep|bawl|whimper|cry loudly|howl",
        noises="cry|wail",
        phrases=(
            "a baby crying for its mother|a baby in a crib crying|the crying of an infant|"
            "a child in tears|a nursery with a crying child|a screaming toddler|"
            "a little one crying|a baby throwing a tantrum|bawling"
        ),
        clauses=(
            "a baby will not stop crying|the infant is upset|a child cries|a baby is in tears"
        ),
        tags=(
            "baby|crying|baby cry|infant|cry|wailing|waah|waaah|wah wah|bawling|child|weeping|"
            "child in tears|sobbing|toddler|nursery"
        ),
    ),
    "sneeze": Words(
        things="sneeze|loud sneeze",
        stuff="sneezing|a sneezing person|sneezes",
        actors=(
            "someone|somebody|a person|a man|a woman|a boy|a girl|a child|a sick person|people"
        ),
        verbs="sneeze|sneeze loudly|sneeze twice",
        phrases=(
            "someone with a cold|someone sneezing|a person sneezing|an allergic sneeze|"
            "hay fever|a sneezing fit|somebody sneezing into a tissue|a sudden sneeze|atchoo|"
            "hatschi|the sneeze of a sick person|bless you"
        ),
        clauses=(
            "someone sneezes|a man has to sneeze|a person with a cold sneezes|"
            "somebody lets out a sneeze"
        ),
        tags=(
            "sneeze|sneezing|sneezes|atchoo|ah choo|atishoo|hay fever|cold|allergy|flu|"
            "sternutation|runny nose|snot"
        ),
    ),
    "cough": Words(
        things="cough|dry cough",
        stuff="coughing|a coughing man|a coughing fit|coughs",
        actors="someone|a person|a man|a woman|a child|a sick person|a smoker|people",
        verbs="cough|hack|clear the throat",
        phrases="a person coughing|someone with a sore throat|a smoker's cough|throat clearing",
        clauses="someone coughs|a man is coughing|a woman coughs",
        tags="cough|coughing|throat|ill|bronchitis|cough cough|ahem",
    ),
    "laughter": Words(
        things="laugh",
        stuff="laughter|a laughing crowd",
        actors="people|someone|a man|a woman|a child|children|a girl|friends|a witch",
        verbs="laugh|giggle|chuckle|cackle|laugh out loud|crack up",
        noises="giggle",
        phrases=(
            "an evil laugh|someone laughing|a burst of laughter|children giggling|people having fun"
        ),
        clauses="someone is laughing|people laugh at a joke|a child giggles",
        tags="laughter|laughing|laugh|giggling|haha|ha ha ha|hilarity|chuckle|lol|amused",
    ),
    "snoring": Words(
        things="snorer|snoring person",
        stuff="snoring|a snoring man",
        actors="someone|a sleeper|a man|a sleeping man|an old man|my husband",
        verbs="snore|snore loudly",
        noises="snore",
        phrases="a man snoring in bed|somebody sleeping|heavy breathing at night|loud snores",
        clauses="someone snores|a man is asleep and snoring",
        tags="snoring|snore|sleeping|asleep|zzz|sleep apnea|sleep",
    ),
    "applause": Words(
        stuff=(
            "applause|clapping hands|hand claps|a round of applause|a cheering crowd|"
            "a clapping audience"
        ),
        actors="people|an audience|the audience|a crowd|the public|the crowd|hands|spectators",
        verbs="clap|applaud|cheer|clap hands",
        phrases=(
            "people clapping|the applause of a crowd|a standing ovation|a crowd after a concert|"
            "clapping|an ovation"
        ),
        clauses="the audience applauds|people are clapping their hands|the crowd goes wild",
        tags=(
            "applause|clapping|clap|ovation|audience|clap clap|bravo|crowd|cheering|hands clapping"
        ),
    ),
    "footsteps": Words(
        things="footstep|walker|step",
        stuff="footsteps|steps|high heels|footfall|walking",
        actors="someone|a person|a man|a woman|people|somebody in boots|a runner|feet",
        verbs="walk|walk by|run past|stroll|step on gravel|climb the stairs|pace|jog",
        phrases=(
            "someone walking|footsteps on gravel|footsteps in a hallway|a person running|"
            "steps on a wooden floor|walking in snow|shoes on the pavement|feet on the stairs|"
            "the footsteps of a man"
        ),
        clauses="someone walks past|somebody is coming up the stairs|a person is walking",
        tags=(
            "footsteps|walking|steps|footfall|running|stairs|tap tap|strolling|shoes|gait|on foot"
        ),
    ),
    "singing": Words(
        things="singer|choir",
        stuff="singing|a singing voice|vocals",
        actors="a mermaid|a woman|someone|a voice",
        verbs="sing|hum a melody|chant",
        noises="song",
        phrases="someone singing a song|a voice singing",
        tags="singing|vocal|song|la la la|choir|a cappella",
    ),
    "vomiting": Words(
        stuff="vomiting|someone being sick|puking",
        actors="someone|a sick person|a drunk man",
        verbs="vomit|throw up|puke|retch",
        phrases="someone throwing up",
        clauses="someone is sick",
        tags="vomiting|vomit|puking|throwing up|nausea|retching",
    ),
    "monster": Words(
        things="monster|zombie|ghoul|creature",
        stuff="zombies|the undead|monsters",
        verbs="growl|moan|groan|roar",
        noises="growl|moan|groan",
        phrases="a scary monster|the moan of the undead|a horror creature",
        tags="monster|zombie|undead|horror|scary|creature|ghost|halloween",
    ),
    "piano": Words(
        things="piano|grand piano|pianist|keyboard player",
        stuff="piano music|someone on the piano",
        verbs="play|play a tune|play ragtime",
        noises="melody|chord",
        phrases="someone playing the piano|a piano piece|piano keys|a piano melody",
        tags="piano|pianist|grand piano|keys|instrument|music|ragtime|sonata",
    ),
    "guitar": Words(
        things="guitar|acoustic guitar|guitarist|ukulele|banjo",
        stuff="guitar music|guitar strings|a strummed guitar|plucked strings",
        verbs="strum|play|pluck strings|play chords",
        noises="chord|melody",
        phrases=(
            "someone playing the guitar|strumming a guitar|a guitar melody|a guitar being plucked"
        ),
        tags="guitar|strumming|plucking|strings|acoustic|guitarist|folk music|chords",
    ),
    "violin": Words(
        things="violin|fiddle|cello|violinist|viola",
        stuff="violin music|a bowed string|bowed strings",
        verbs="play|play a tune|play slowly",
        noises="melody",
        phrases="someone playing the violin|a bow on strings|a fiddle tune|classical strings",
        tags="violin|fiddle|strings|cello|bow|violinist|orchestra|classical music",
    ),
    "flute": Words(
        things="flute|recorder|flutist|pan flute|ocarina|wooden flute",
        stuff="flute music|a tin whistle",
        verbs="play|play a melody|play softly",
        noises="melody|tune",
        phrases="someone playing the flute|a flute melody|a woodwind instrument|blowing a flute",
        tags="flute|recorder|woodwind|flautist|flutist|wind instrument|piping",
    ),
    "drum": Words(
        things="drum|drummer|drum kit|snare drum|bongo|drum set|hand drum",
        stuff="drums|percussion|a drum beat|beating drums|a groove on the drums",
        verbs="beat|play|play a rhythm|pound|roll",
        noises="beat|roll",
        phrases="someone playing the drums|a drum solo|beating a drum|a drum rhythm|tribal drums",
        tags="drum|drums|drumming|percussion|beat|rhythm|bongo|boom boom|drum roll|snare|groove",
    ),
    "whistling": Words(
        things="whistle|whistler|referee whistle",
        stuff="whistling|a man whistling|a referee's whistle|a human whistle",
        actors="someone|a referee|a man|a boy|somebody|a coach",
        verbs="whistle|whistle a tune|blow a whistle",
        phrases=(
            "someone whistling|whistling a melody|a whistle being blown|"
            "a tune whistled with the lips"
        ),
        clauses="somebody whistles a tune|the referee blows the whistle",
        tags=(
            "whistling|whistle|referee|wolf whistle|tweet of a whistle|whistles|"
            "blowing a whistle|whistled tune"
        ),
    ),
}
