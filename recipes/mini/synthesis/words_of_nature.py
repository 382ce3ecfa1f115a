"""What people call the sounds of weather, water, fire and animals."""

from recipes.mini.synthesis.wording import Words

NATURE: dict[str, Words] = {
    "rain": Words(
        things="rain shower|rainstorm|rainfall",
        stuff=(
            "rain|heavy rain|light rain|steady rain|raindrops|rain drops|rainfall|rain water|"
            "the rain|drizzle"
        ),
        verbs=(
            "fall|pour|patter|pour down|come down|pelt|drum on the roof|drizzle|hit the window|"
            "hit the ground"
        ),
        noises="patter",
        phrases=(
            "rain on a tin roof|rain on a roof|rain on leaves|rain falling on the street|"
            "rain against the window|a wet and rainy day|a rainy afternoon|"
            "rain hitting an umbrella|the patter of raindrops|a steady shower|"
            "torrential rain|water falling from the sky|rain on a tent|a soaking rain|"
            "rainy weather|raindrops hitting leaves|precipitation|"
            "rain splashing on the pavement"
        ),
        clauses=(
            "it is raining|it rains|it is raining heavily|it rains hard|it is pouring|"
            "it is drizzling|rain is coming down hard|rain drums on the roof|"
            "it is raining outside"
        ),
        tags=(
            "raining|rainy|pouring|pitter patter|wet weather|shower|rainstorm|showers|"
            "precipitation|pouring rain"
        ),
    ),
    "wind": Words(
        things="gust of wind|breeze|gale",
        stuff="wind|strong wind|the wind|gusty wind|high winds|a stiff breeze",
        verbs="blow|howl|whistle|rush|gust|moan|whoosh|roar",
        phrases=(
            "wind in the trees|wind blowing into a microphone|gusts of wind|a windy day|"
            "wind on a mountain|the howl of the wind|wind through the window|a gale blowing|"
            "air rushing past|windy weather|a blustery day"
        ),
        clauses=(
            "it is windy|the wind is howling|the wind blows hard|the air rushes past|"
            "a gale is blowing"
        ),
        tags="windy|gust|gusts|howling wind|blowing|breezy|air current|whoosh|draught|blustery",
    ),
    "thunder": Words(
        things="thunderstorm|thunderclap|thunderbolt",
        stuff="thunder|the thunder|distant thunder|loud thunder|lightning and thunder",
        verbs="rumble|roll|crash|boom|roar|crack|clap",
        phrases=(
            "a clap of thunder|thunder rumbling in the sky|rolling thunder|"
            "the rumble of thunder|a lightning strike|claps of thunder|a peal of thunder|"
            "peals of thunder|an electric storm|an approaching thunderstorm"
        ),
        clauses=(
            "it thunders|it is thundering|lightning strikes|thunder rolls across the sky|"
            "a storm is rumbling"
        ),
        tags=(
            "thundering|lightning|storm|rumble|rumbling|thunderous|stormy|electrical storm|boom|"
            "crack of thunder"
        ),
    ),
    "sea waves": Words(
        things="sea wave|ocean wave|wave|big wave|swell",
        stuff="sea waves|ocean waves|surf|the surf|the sea|the ocean|waves",
        verbs=(
            "crash|break|roll in|lap|wash ashore|roll|wash|splash|hit the shore|"
            "crash on the beach|roar|swash"
        ),
        phrases=(
            "waves on a beach|the sound of the sea|sea surf|waves breaking on rocks|"
            "waves crashing on the shore|a sandy beach|water lapping at the shore|the seaside|"
            "ocean surf|the roar of the sea|a day at the beach|waves washing over pebbles|"
            "the sea coming in|surging water|waves at the coast|seawater washing up"
        ),
        clauses=(
            "the sea is rough|waves break on the beach|the sea washes over the sand|surf rolls in"
        ),
        tags=(
            "sea|ocean|beach|surf|shore|waves|coast|seashore|seaside|shoreline|surging|wave|"
            "marine|swash|splashing waves"
        ),
    ),
    "crackling fire": Words(
        things="fire|campfire|bonfire|fireplace|log fire|wood fire|camp fire",
        stuff=(
            "a crackling fire|flames|burning wood|burning logs|the flames|firewood|burning twigs"
        ),
        verbs="crackle|burn|pop|snap|roar|flicker",
        noises="crackle",
        phrases=(
            "fire crackling|the crackle of a fire|logs burning in a fireplace|"
            "a fire burning in the stove|wood crackling in the flames|a wood stove|"
            "the popping of burning wood|a warm fireplace|something on fire|"
            "sparks flying from a fire|kindling catching fire|sticks burning"
        ),
        clauses=(
            "wood is burning|something is burning|a fire crackles and pops|the logs are crackling"
        ),
        tags=(
            "crackling|fire crackling|burning|flame|combustion|crackle|campfire|ignited wood|"
            "pops and crackles|wildfire"
        ),
    ),
    "water drops": Words(
        things="water drop|drop of water|droplet|drip",
        stuff=(
            "water drops|dripping water|water droplets|a dripping tap|a leaking tap|"
            "a leaky faucet|water"
        ),
        verbs="drip|drop|plop|plink|fall into a puddle|trickle",
        phrases=(
            "water dripping in a cave|a tap dripping|a faucet dripping into a sink|"
            "drops falling into water|the drip of a tap|drips of water|a leak in the ceiling|"
            "drops of water hitting a basin"
        ),
        clauses="water is dripping|a tap drips|the faucet is leaking|drops fall one by one",
        tags=(
            "dripping|drip|drips|droplets|plop|leak|leaking|faucet|drip drop|plip plop|drip drip"
        ),
    ),
    "stream": Words(
        things="stream|brook|creek|river|small river|fountain",
        stuff="running water|flowing water|a mountain stream|water from a tap|a babbling brook",
        verbs="flow|babble|gurgle|run|bubble|trickle|burble",
        phrases=(
            "a stream in the woods|water flowing over stones|a running tap|a river flowing|"
            "water gurgling|the babble of a brook|a garden fountain|a small waterfall|"
            "water running into a sink"
        ),
        clauses="water is flowing|water runs over rocks|a brook babbles|the tap is running",
        tags=(
            "flowing|gurgling|babbling|bubbling water|watercourse|running tap|splashing water|"
            "waterfall"
        ),
    ),
    "dog": Words(
        things="dog|puppy|small dog|big dog|guard dog|terrier",
        stuff="dogs|a pack of dogs|a neighbour's dog|man's best friend",
        verbs="bark|woof|growl|yelp|bark loudly|whine",
        noises="bark|woof|yap|growl",
        phrases=(
            "a dog barking in the yard|a dog barking at someone|an angry dog|barks|barking|"
            "the barking of a dog|a canine|a canine barking|a doggy barking|"
            "a german shepherd barking|a chihuahua yapping|a mutt barking|"
            "a pet dog making noise|dogs barking at each other|a dog that barks"
        ),
        clauses=(
            "a dog barks twice|some dogs are barking|a dog is making noise|a puppy yaps|"
            "a canine barks"
        ),
        tags=(
            "dog|barking|bark|woof|woof woof|bow wow|canine|puppy|doggy|doggie|ruff ruff|arf|"
            "yapping|pet dog|canis familiaris|mutt"
        ),
    ),
    "cat": Words(
        things="cat|kitten|kitty|house cat|tomcat",
        stuff="cats",
        verbs="meow|mew|miaow|call|cry for food",
        noises="meow|mew|miaow",
        phrases=(
            "a hungry cat|a cat wanting to come in|the meow of a kitten|feline sounds|"
            "a feline meowing|meowing"
        ),
        clauses="a cat says meow|the kitty wants food",
        tags="cat|feline|meow|meowing|miaow|kitty|felis catus|mew|pet cat|pussycat|caterwauling",
    ),
    "cow": Words(
        things="cow|bull|calf|dairy cow",
        stuff="cattle|cows|a herd of cows",
        verbs="moo|low|bellow",
        noises="moo",
        phrases="cattle on a farm|mooing|the moo of a cow|cows in a pasture|a bovine mooing",
        clauses="a cow says moo",
        tags="cow|moo|mooing|cattle|bovine|farm animal|lowing|livestock|ox",
    ),
    "sheep": Words(
        things="sheep|lamb|goat|ewe|ram|billy goat",
        stuff="sheep|a flock of sheep|goats",
        verbs="bleat|baa|cry",
        noises="bleat|baa",
        phrases="lambs calling for their mother|bleating|the bleat of a goat|sheep in a meadow",
        clauses="a sheep goes baa",
        tags="sheep|baa|bleating|bleat|lamb|goat|ovine|baa baa|meh|farm animal",
    ),
    "horse": Words(
        things="horse|pony|stallion|mare",
        stuff="horses|hooves|horse hooves|a horse and cart|hoofbeats",
        verbs="gallop|trot|neigh|whinny|canter|clop along",
        noises="neigh|whinny|gallop",
        phrases=(
            "horses on cobblestones|the clatter of hooves|hoof beats|a horse riding by|"
            "a rider on a horse|clip clop"
        ),
        clauses="a horse gallops past|hooves clatter on the road",
        tags=(
            "horse|hooves|galloping|neighing|clip clop|equine|trotting|hoof|clippety clop|riding"
        ),
    ),
    "rooster": Words(
        things="rooster|cock|male chicken",
        stuff="roosters|a crowing cock",
        verbs="crow|crow loudly|call in the morning|cry cock a doodle doo",
        noises="crow|call|crowing",
        phrases=(
            "cock a doodle doo|a rooster on a farm|the crow of a rooster|crowing|"
            "a rooster in the early morning|a farmyard cock crowing|a rooster waking everyone|"
            "a cock crowing at sunrise|the morning call of a rooster"
        ),
        clauses="a cock crows|the rooster says cock a doodle doo|a rooster wakes the farm",
        tags=(
            "rooster|crowing|cock|cock-a-doodle-doo|cock a doodle doo|farmyard bird|"
            "crow of a cock|fowl|gallus|barnyard"
        ),
    ),
    "chicken": Words(
        things="chicken|hen|turkey",
        stuff="chickens|hens|a hen house",
        verbs="cluck|cackle|squawk|scratch about",
        noises="cluck|cackle",
        phrases="clucking hens in a coop|the clucking of a hen",
        clauses="a hen lays an egg",
        tags="chicken|hen|clucking|cackling|gobble gobble|cluck cluck|farm birds",
    ),
    "owl": Words(
        things="owl|barn owl|tawny owl",
        stuff="owls|a night owl",
        verbs="hoot|call at night",
        noises="hoot",
        phrases="an owl in the woods at night|hooting|the hoot of an owl",
        clauses="an owl hoots in the dark",
        tags="owl|hoot|hooting|hoo hoo|twit twoo|tu-whit tu-whoo|night bird|bird of prey",
    ),
    "crow": Words(
        things="crow|raven|rook|jackdaw",
        stuff="crows|a murder of crows|ravens",
        verbs="caw|croak|squawk",
        noises="caw",
        phrases="cawing|a crow calling from a tree|the caw of a raven|a black bird cawing",
        clauses="crows are calling",
        tags="crow|caw|cawing|raven|caw caw|corvid|corvus",
    ),
    "duck": Words(
        things="duck|goose|mallard|duckling",
        stuff="ducks|geese|ducks on a pond",
        verbs="quack|honk|gabble",
        noises="quack",
        phrases="quacking|ducks quacking in a pond|the quack of a duck|waterfowl calling",
        clauses="a duck goes quack",
        tags="duck|quack|quacking|quack quack|geese|goose|waterfowl",
    ),
    "seagull": Words(
        things="seagull|gull|sea bird",
        stuff="seagulls|gulls",
        verbs="cry|call|squawk|scream|screech",
        noises="cry|call",
        phrases=(
            "gulls over a harbour|seagulls circling above a boat|the cries of gulls|"
            "birds at a harbour"
        ),
        clauses="gulls are screaming",
        tags="seagull|gull|gulls|seabird|harbour|screeching gulls|squawking",
    ),
    "wolf": Words(
        things="wolf|coyote|werewolf",
        stuff="wolves|a pack of wolves|coyotes",
        verbs="howl|howl at the moon|cry",
        noises="howl",
        phrases="howling at the moon|howls in the night|the howl of a wolf|a lone wolf",
        clauses="a wolf howls in the distance",
        tags="wolf|howl|howling|wolves|coyote|awoo|lupine|full moon",
    ),
    "lion": Words(
        things="lion|tiger|leopard|big cat|beast",
        stuff="lions|a wild beast|a wild cat",
        verbs="roar|growl|snarl",
        noises="roar|snarl|growl",
        phrases="the roar of a lion|a big cat roaring|a predator growling|jungle cats",
        clauses="a lion roars",
        tags="lion|roar|roaring|tiger|growling|snarling|predator|leopard|panther",
    ),
    "bird song": Words(
        things="bird|songbird|small bird|canary|robin|blackbird|sparrow|finch",
        stuff="birdsong|bird song|birds|birds in the trees|a chorus of birds",
        verbs="sing|chirp|tweet|twitter|chirrup|warble|whistle|trill",
        noises="song|chirp|tweet|call",
        phrases=(
            "birds singing in a forest|birds chirping in the morning|the song of a bird|"
            "a bird in a tree|a nightingale singing|chirping|birds in a garden in spring|"
            "bird calls|a bird whistling a melody"
        ),
        clauses="birds are singing in the trees|a bird sings a song",
        tags=(
            "bird|birds|birdsong|chirping|tweet|tweeting|songbird|avian|tweet tweet|twittering|"
            "chirp|warbling"
        ),
    ),
    "woodpecker": Words(
        things="woodpecker",
        stuff="a woodpecker in the woods",
        verbs="peck|drum|hammer on a trunk|knock on a tree|tap on a tree",
        noises="drumming",
        phrases="a bird pecking at a tree|pecking on wood|a woodpecker's drum roll",
        tags="woodpecker|pecking|drumming on a tree|peck peck",
    ),
    "crickets": Words(
        things="cricket|grasshopper|katydid",
        stuff="crickets|night insects|crickets in the grass|grasshoppers",
        verbs="chirp|stridulate|sing at night|chirr",
        noises="chirp",
        phrases=(
            "insects on a summer night|a field at night|the chirping of crickets|"
            "a quiet summer night"
        ),
        clauses="crickets are chirping in the night|insects chirp in the grass",
        tags=(
            "cricket|crickets|insect|insects|chirping insects|night time|chirp chirp|"
            "stridulation|summer night"
        ),
    ),
    "cicadas": Words(
        things="cicada",
        stuff="cicadas|a swarm of cicadas|cicadas in the heat",
        verbs="buzz|sing|drone|whir|call",
        noises="buzz",
        phrases=(
            "insects buzzing in the trees on a hot day|the drone of cicadas|loud summer insects"
        ),
        tags="cicada|cicadas|summer insects|droning insects|hot summer day",
    ),
    "frog": Words(
        things="frog|toad|bullfrog|tree frog",
        stuff="frogs|toads|frogs in a pond",
        verbs="croak|ribbit|call",
        noises="croak|ribbit",
        phrases=(
            "a pond at night|croaking|a chorus of frogs|amphibians calling|the croak of a toad"
        ),
        clauses="frogs croak by the pond",
        tags="frog|croak|croaking|ribbit|toad|amphibian|ribbit ribbit|pond|swamp",
    ),
    "bees": Words(
        things="bee|bumblebee|wasp|fly|mosquito|hornet|honey bee",
        stuff="bees|a swarm of bees|a beehive|flies|insects",
        verbs="buzz|hum|fly around|buzz around",
        noises="buzz",
        phrases=(
            "a bee buzzing around a flower|the buzz of a fly|a mosquito near the ear|buzzing|"
            "an insect flying past"
        ),
        clauses="a fly is buzzing around|bees buzz around the hive",
        tags="bee|bees|buzz|buzzing|insect|wasp|fly|bzzz|hive|apis|mosquito",
    ),
    "pig": Words(
        things="pig|piglet|hog|boar",
        stuff="pigs|swine",
        verbs="oink|grunt|squeal|snort",
        noises="oink|grunt|squeal",
        phrases="pigs in a sty|the squeal of a pig",
        tags="pig|oink|oink oink|grunting|squealing|swine|snorting",
    ),
    "parrot": Words(
        things="parrot|budgie|cockatoo|macaw",
        stuff="parrots|tropical birds",
        verbs="squawk|screech|chatter|talk",
        noises="squawk",
        phrases="a parrot in a cage|exotic birds",
        tags="parrot|squawk|tropical bird|exotic bird|polly",
    ),
    "monkey": Words(
        things="monkey|gorilla|ape|chimpanzee",
        stuff="monkeys|apes",
        verbs="chatter|hoot|scream|grunt",
        noises="grunt|chatter",
        phrases="monkeys in the jungle|apes calling",
        tags="monkey|ape|primate|gorilla|chimp|jungle",
    ),
    "elephant": Words(
        things="elephant",
        stuff="elephants|an elephant in the zoo",
        verbs="trumpet|blow its trunk",
        noises="trumpet",
        phrases="an elephant's trumpet call",
        tags="elephant|trumpeting|trunk|safari|pachyderm",
    ),
}
